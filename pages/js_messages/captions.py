"""Texts of the room page's scripts about captions."""

from __future__ import annotations

from django.utils.translation import gettext as _


def caption_words() -> dict[str, str]:
    """Return the texts by key."""
    return {
        "captioned": _("What is said is written down, live and beside the recording."),
        "not_captioned": _("Nothing of what is said is written down."),
        "captions_off": _("captions off"),
        "captions_not_now": _("no captions now: too many speak at once"),
        "captions_said": _("{name}: {words}"),
        "captions_own_off": _("Nothing of what you say is written down now."),
        "captions_own_on": _("What you say is written down again."),
        "captions_switched_on": _("Captions are on: what is said is written down."),
        "captions_switched_off": _("Captions are off: nothing of what is said is written down."),
        "captions_unasked": _("You agreed to speak without captions, so nothing of what you say is written down."),
        "captions_allow": _("Write it down"),
        "captions_level_on": _("Captions are on time."),
        "captions_level_slow": _("Captions come late: more is said than can be written down at once."),
        "captions_level_drafts_off": _("Captions come at pauses only: more is said than can be written down at once."),
        "captions_level_off": _("There are no captions at the moment: they cannot be written now."),
        "captions_level_none": _("Nothing of what is said is written down."),
        "captions_switch_on": _("Turn captions on"),
        "captions_switch_off": _("Turn captions off"),
        "captions_soon": _("Nobody has said anything yet."),
        "captions_gone": _("You are not in this room any more."),
        "language_heard": _("What is spoken sounds like {heard}, and captions expect {language}: they are wrong."),
        "language_change": _("Change the language"),
        "language_now": _("Captions expect {language} from now on."),
        "key_captions": _("Captions: on or off, their size and place"),
    }
