"""The measure “no place on any stage”."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from moderation.measures.account import AccountMeasure
from people.models import Sanction


class NoStage(AccountMeasure):
    """The person takes no place on any stage for a number of days."""

    key = "no_stage"
    title = _("No place on any stage")
    sanction = Sanction.Kind.NO_STAGE
    exported_as = (
        "decision_provision",
        "DECISION_PROVISION_PARTIAL_SUSPENSION",
        "DECISION_PROVISION_PARTIAL_TERMINATION",
    )
