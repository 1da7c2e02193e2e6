"""Texts about reports, shared by API and pages."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

RECEIVED = _("Your report has arrived. Moderators will look at it. Nobody in the room learns that you sent it.")
