"""Texts of the room page's scripts about what host and co-hosts do to people on stage."""

from __future__ import annotations

from django.utils.translation import gettext as _
from django.utils.translation import ngettext, pgettext


def host_side_words() -> dict[str, str]:
    """Return the texts by key."""
    return {**_mute_words(), **_cohost_words(), **_host_words()}


def _mute_words() -> dict[str, str]:
    return {
        "mic_held": _("kept muted by a host"),
        "hold_mute": _("{name} stays muted until you let them speak again."),
        "lift_mute": _("{name} may unmute again."),
        "ask_unmute": _("{name} was asked to unmute."),
        "muted_all_one": ngettext("{number} microphone was turned off.", "{number} microphones were turned off.", 1),
        "muted_all_other": ngettext("{number} microphone was turned off.", "{number} microphones were turned off.", 2),
        "muted_none": _("No other microphone was on."),
        "held_by": _("{name} keeps you muted: nobody hears you until a host lets you speak again."),
        "held_why": _("A host keeps you muted: nobody hears you until a host lets you speak again."),
        "held_lifted": _("You may unmute again."),
        "unmute_asked": _("A host asks you to unmute."),
        "unmute_asked_by": _("{name} asks you to unmute."),
        "unmute": pgettext("one's own microphone", "Unmute"),
    }


def _cohost_words() -> dict[str, str]:
    return {
        "cohost_title": _("Make {name} co-host?"),
        "cohost_may": _(
            "A co-host does what you do: lets hands up, mutes people, takes them off the stage or out of the room, and "
            "chooses who may speak and come in; ending the room and naming co-hosts stay with you."
        ),
        "cohost_yes": _("Make co-host"),
        "cohost_you": _(
            "You are co-host now: let hands up, mute people or take them off the stage from their card, and choose who "
            "may speak and come in."
        ),
        "cohost_now": _("{name} is co-host now."),
        "cohost_no_more": _("{name} is no longer co-host."),
        "demote_title_them": _("{name}: no longer co-host?"),
        "demote_title_you": _("No longer be co-host?"),
        "demote_them_speaker": _("{name} stays at the table as a speaker."),
        "demote_them_audience": _("Every seat is taken, so {name} leaves the table and goes on listening."),
        "demote_you_speaker": _("You stay at the table as a speaker."),
        "demote_you_audience": _("Every seat is taken, so you leave the table and go on listening."),
        "demote_yes": _("No longer co-host"),
        "demoted_speaker": _("You are no longer co-host. You stay at the table as a speaker."),
        "demoted_audience": _(
            "You are no longer co-host. Every seat was taken, so you left the table. You can go on listening."
        ),
    }


def _host_words() -> dict[str, str]:
    return {
        "hand_over_title": _("Make {name} the host?"),
        "hand_over": _(
            "From then on the room and its end are {name}’s. You become co-host; you may hear the recording again, but "
            "not download it. You cannot take this back."
        ),
        "hand_over_yes": _("Make host"),
        "host_you": _("You host this room now. It ends when you end it."),
        "host_now": _("{name} hosts this room now."),
        "host_now_former": _("{name} hosts this room now. You are co-host."),
    }
