"""The measure “may not open rooms”."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from moderation.measures.account import AccountMeasure
from people.models import Sanction


class NoHosting(AccountMeasure):
    """The person opens no rooms for a number of days."""

    key = "no_hosting"
    title = _("No hosting of rooms")
    sanction = Sanction.Kind.NO_HOSTING
    exported_as = (
        "decision_provision",
        "DECISION_PROVISION_PARTIAL_SUSPENSION",
        "DECISION_PROVISION_PARTIAL_TERMINATION",
    )
