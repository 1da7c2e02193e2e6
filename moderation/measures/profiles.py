"""Base of measures on what an account shows of itself."""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar

from moderation.measures.base import OnAccount, name_of, person_for, remembered
from moderation.models import Measure, SubjectKind
from people.actions.takedowns import put_back_profile
from people.models import ProfileTakedown


class ProfileMeasure(OnAccount):
    """A takedown of one part of a profile."""

    take_down: ClassVar[Callable[..., ProfileTakedown]]
    states, remembers = ProfileTakedown, "takedown"
    kinds = frozenset({SubjectKind.PICTURE, SubjectKind.PROFILE, SubjectKind.PERSON})
    exported_as = (
        "decision_visibility",
        "DECISION_VISIBILITY_CONTENT_REMOVED",
        "DECISION_VISIBILITY_CONTENT_REMOVED",
    )

    @classmethod
    def apply(cls, measure: Measure) -> None:
        person = person_for(measure)
        made = cls.take_down(person, measure.decision.by, once=name_of(measure))
        measure.memory |= {"takedown": made.pk}

    @classmethod
    def undo(cls, measure: Measure) -> None:
        row = ProfileTakedown.objects.filter(pk=remembered(measure.memory, "takedown")).first()
        if row is not None:
            put_back_profile(row, measure.decision.undone_by)
