"""Refusals of trust and safety: a code, its HTTP status and its text."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from core.refusals import Refusal, Refused

TABLE: dict[str, Refusal] = {
    "not_signed_in": Refusal(401, _("Sign in to do this.")),
    "not_allowed": Refusal(403, _("You cannot do that here.")),
    "account_closed": Refusal(403, _("This account is closed.")),
    "account_suspended": Refusal(403, _("This account is suspended.")),
    "unknown_room": Refusal(404, _("There is no room at this address.")),
    "unknown_message": Refusal(404, _("There is no such message.")),
    "unknown_person": Refusal(404, _("There is nobody with this handle.")),
    "not_report_oneself": Refusal(409, _("You cannot report yourself.")),
    "copy_gone": Refusal(410, _("The recording of this room was deleted on its day: there is nothing to look at.")),
    "bad_value": Refusal(400, _("Something in what was sent is not right.")),
    "too_fast": Refusal(429, _("That was a bit much at once. Nothing was lost: wait a moment and try again.")),
}


class ModerationRefused(Refused):
    """A refusal of an action of trust and safety."""

    table = TABLE
