"""Base of measures on an account: a sanction, which rooms and pages obey."""

from __future__ import annotations

from typing import ClassVar

from moderation.measures.base import EVERY, OnAccount, person_for, remembered
from moderation.models import Measure
from people.actions.standing import impose_sanction, lift_sanction
from people.models import Sanction


class AccountMeasure(OnAccount):
    """A sanction of one kind on the account whom the case concerns."""

    sanction: ClassVar[str]
    states, remembers = Sanction, "sanction"
    kinds = EVERY
    takes_days = True

    @classmethod
    def apply(cls, measure: Measure) -> None:
        decision = measure.decision
        person = person_for(measure)
        # With its own beginning: two decisions never share a row, so that undoing one leaves the other.
        imposed = impose_sanction(
            person, cls.sanction, decision.by, cls.why(measure), measure.ends_at, begins_at=measure.applied_at
        )
        measure.memory |= {"sanction": imposed.pk}

    @classmethod
    def undo(cls, measure: Measure) -> None:
        row = Sanction.objects.filter(pk=remembered(measure.memory, "sanction")).first()
        if row is not None:
            lift_sanction(row, measure.decision.undone_by, "")

    @classmethod
    def why(cls, measure: Measure) -> str:
        """The reason that the person reads: the rule."""
        rule = measure.decision.rule
        assert rule is not None
        return rule.title(person_for(measure).language)
