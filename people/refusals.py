"""Why something was refused: a code, its HTTP status and its text, in one table for pages and API."""

from dataclasses import dataclass

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

REFUSALS: dict[str, tuple[int, str | Promise]] = {
    "not_signed_in": (401, _("Sign in to do this.")),
    "account_closed": (403, _("This account is closed.")),
    "unknown_person": (404, _("There is nobody with this handle.")),
    "not_oneself": (409, _("You cannot follow yourself.")),
    "already_a_creator": (409, _("You are in the creator group already: you can open rooms.")),
    "no_plan": (400, _("Say in a few words what you plan to host.")),
    "no_wave_name": (400, _("Give the wave a name, so that it can be found again.")),
    "bad_wave_size": (400, _("Write how many people: a number of 1 or more.")),
    "too_fast": (429, _("That was a bit much at once. Nothing was lost: wait a moment and try again.")),
    "not_a_picture": (400, _("This file is not a picture we can read. Choose a JPEG, PNG, WebP or GIF file.")),
    "picture_too_large": (413, _("This picture is too large. Choose one of at most 5 MB and 40 megapixels.")),
    "bad_value": (400, _("Something in what was sent is not right.")),
}


@dataclass
class PeopleRefused(Exception):
    """An action said no. `wait` is in seconds, for too_fast."""

    code: str
    wait: float = 0.0

    @property
    def status(self) -> int:
        return REFUSALS[self.code][0]

    @property
    def text(self) -> str:
        return str(REFUSALS[self.code][1])

    def __str__(self) -> str:
        return self.code
