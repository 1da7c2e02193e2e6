"""Refusals of actions on transcripts: code, HTTP status and text, for pages and API."""

from django.utils.translation import gettext_lazy as _

from core.refusals import Refusal, Refused

TABLE: dict[str, Refusal] = {
    "not_signed_in": Refusal(401, _("Sign in to do this.")),
    "unknown_room": Refusal(404, _("There is no room at this address.")),
    "not_found": Refusal(404, _("There is nothing at this address.")),
    "no_transcript": Refusal(404, _("This room has no transcript.")),
    "recording_unavailable": Refusal(403, _("This recording is not available.")),
    "unknown_cue": Refusal(404, _("There is no such line in this transcript.")),
    "captions_off": Refusal(403, _("Whoever spoke here wanted no words written down.")),
    "unknown_format": Refusal(404, _("There is no such format. Choose vtt, srt, txt or json.")),
    "not_allowed": Refusal(403, _("Only the host, co-hosts and speakers of this room can do this.")),
    "not_host": Refusal(403, _("Only the host and co-hosts of this room can do this.")),
    "empty_text": Refusal(400, _("Write what was said: a line cannot be empty.")),
    "bad_text": Refusal(400, _("Something in this text cannot be used.")),
    "text_too_long": Refusal(400, _("This is too long for one line.")),
    "nothing_failed": Refusal(409, _("Nothing in this transcript failed: there is nothing to try again.")),
    "bad_range": Refusal(
        400, _("Choose a part of the room that has a beginning and an end, at most ten minutes long.")
    ),
    "not_heard_yet": Refusal(409, _("This part of the room has not been recorded.")),
    "copy_gone": Refusal(409, _("The recording of this room has been deleted.")),
    "has_transcript": Refusal(409, _("This room has a transcript. Its lines are shown already.")),
    "bad_value": Refusal(400, _("Something in what was sent is not right.")),
}


class TranscriptRefused(Refused):
    """Refusal of an action on a transcript."""

    table = TABLE
