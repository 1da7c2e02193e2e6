"""The measure “warning”."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from moderation.measures.account import AccountMeasure
from people.models import Sanction


class Warning(AccountMeasure):
    """A warning, which takes nothing away. It stands until it is undone."""

    key = "warning"
    title = _("Warning")
    sanction = Sanction.Kind.WARNING
    takes_days = False
