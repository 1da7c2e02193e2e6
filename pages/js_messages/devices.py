"""Texts of the room page's scripts about microphones and connections."""

from __future__ import annotations

from django.utils.translation import gettext as _


def device_words() -> dict[str, str]:
    """Return the texts by key."""
    return {
        "go_connect": _("Connect the microphone"),
        "device_now": _("You speak through {name} now."),
        "device_gone": _("Your microphone is gone. You go on through {name}."),
        "quality_weak": _("Your connection is weak: others may miss words."),
        "quality_bad": _("Your connection is bad: others hear you only in parts."),
        "quality_theirs_weak": _("Weak connection: others may miss words."),
        "quality_theirs_bad": _("Bad connection: others hear only parts."),
        "quality_seat_weak": _("weak connection"),
        "quality_seat_bad": _("bad connection"),
    }
