"""Why something was refused: a code, its HTTP status and its text, in one table for pages and API."""

from dataclasses import dataclass

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

REFUSALS: dict[str, tuple[int, str | Promise]] = {
    "not_signed_in": (401, _("Sign in to do this.")),
    "unknown_room": (404, _("There is no room at this address.")),
    "no_transcript": (404, _("This room has no transcript.")),
    "unknown_cue": (404, _("There is no such line in this transcript.")),
    "unknown_format": (404, _("There is no such format. Choose vtt, srt, txt or json.")),
    "not_allowed": (403, _("Only the host, co-hosts and speakers of this room can do this.")),
    "not_host": (403, _("Only the host and co-hosts of this room can do this.")),
    "empty_text": (400, _("Write what was said: a line cannot be empty.")),
    "text_too_long": (400, _("This is too long for one line.")),
    "nothing_failed": (409, _("Nothing in this transcript failed: there is nothing to try again.")),
    "bad_value": (400, _("Something in what was sent is not right.")),
}


@dataclass
class TranscriptRefused(Exception):
    """An action said no."""

    code: str

    @property
    def status(self) -> int:
        return REFUSALS[self.code][0]

    @property
    def text(self) -> str:
        return str(REFUSALS[self.code][1])

    def __str__(self) -> str:
        return self.code
