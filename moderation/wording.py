"""Texts about reports, shared by API and pages."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

RECEIVED = _("Your report has arrived. Moderators will look at it. Nobody in the room learns that you sent it.")
MESSAGE_RECEIVED = _(
    "Your report has arrived, with the message and at most five before and after it. Moderators will look at it. "
    "Whom you reported does not learn that you did."
)
