"""The measure “account suspended”."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.utils.translation import gettext_lazy as _

from moderation.measures.account import AccountMeasure
from moderation.measures.base import person_for, remembered
from moderation.models import Measure
from people.actions.standing import impose_sanction, lift_sanction
from people.models import Sanction

PROVISIONAL = timedelta(hours=72)  # at most, until a second moderator approves


class Suspend(AccountMeasure):
    """The account is suspended for a number of days, or for good. Over 30 days and for good it waits for a second
    moderator; until then it runs for 72 hours at most."""

    key = "suspend"
    title = _("Account suspended")
    sanction = Sanction.Kind.SUSPENDED
    needs_confirming = True
    exported_as = ("decision_account", "DECISION_ACCOUNT_SUSPENDED", "DECISION_ACCOUNT_TERMINATED")

    @classmethod
    def apply_for_now(cls, measure: Measure, now: datetime) -> None:
        """Suspend the account until the proposal is approved, for 72 hours at most."""
        decision = measure.decision
        person = person_for(measure)
        kind = Sanction.Kind.SUSPENDED
        imposed = impose_sanction(person, kind, decision.by, cls.why(measure), now + PROVISIONAL, begins_at=now)
        measure.memory |= {"provisional": imposed.pk}

    @classmethod
    def end_for_now(cls, measure: Measure) -> None:
        """End the suspension that ran until the proposal was approved, turned down or lapsed."""
        row = Sanction.objects.filter(pk=remembered(measure.memory, "provisional")).first()
        if row is not None:
            lift_sanction(row, measure.decision.second_by, "")

    @classmethod
    def lock_again(cls, measure: Measure) -> None:
        super().lock_again(measure)
        list(Sanction.objects.select_for_update(of=("self",)).filter(pk=remembered(measure.memory, "provisional")))
