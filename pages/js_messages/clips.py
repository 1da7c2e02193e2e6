"""Texts of scripts about clips, on the replay page and in the host panel."""

from django.utils.translation import gettext as _


def clip_words() -> dict[str, str]:
    """Return the texts by key."""
    return {
        "clip_asked": _("The clip is being made. Everybody who speaks in it is told."),
        "clip_ready": _("The clip is ready."),
        "clip_deleted": _("The clip is deleted. Nobody has it here any more."),
        "clip_failed": _("That did not work."),
        "clip_range": _("A clip lasts from 1 to 90 seconds, and lies within the room."),
        "clip_lasts": _("{seconds} seconds"),
    }
