"""The measure “title and topic removed”."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from moderation.measures.base import MeasureKind, name_of, remembered
from moderation.models import Case, Measure, SubjectKind
from rooms.actions.takedowns import put_back_title, take_down_title
from rooms.models import TitleTakedown


class Title(MeasureKind):
    """The title of a room is replaced by words that say so, and its topic goes with it."""

    key = "title"
    title = _("Title and topic removed")
    kinds = frozenset({SubjectKind.TITLE, SubjectKind.ROOM})
    exported_as = (
        "decision_visibility",
        "DECISION_VISIBILITY_CONTENT_REMOVED",
        "DECISION_VISIBILITY_CONTENT_REMOVED",
    )

    @classmethod
    def applies_to(cls, case: Case) -> bool:
        return case.kind in cls.kinds and case.room is not None

    @classmethod
    def lock_again(cls, measure: Measure) -> None:
        key = remembered(measure.memory, "takedown")
        list(TitleTakedown.objects.select_for_update(of=("self",)).filter(pk=key))

    @classmethod
    def apply(cls, measure: Measure) -> None:
        decision = measure.decision
        assert decision.case.room is not None
        made = take_down_title(decision.case.room, decision.by, once=name_of(measure))
        measure.memory |= {"takedown": made.pk}

    @classmethod
    def undo(cls, measure: Measure) -> None:
        row = TitleTakedown.objects.filter(pk=remembered(measure.memory, "takedown")).first()
        if row is not None:
            put_back_title(row, measure.decision.undone_by)
