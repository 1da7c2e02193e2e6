"""Texts of the room page's scripts about the host panel, the audience and the keys."""

from __future__ import annotations

from django.utils.translation import gettext as _
from django.utils.translation import ngettext


def panel_words() -> dict[str, str]:
    """Return the texts by key."""
    return {**_audience_words(), **_key_words(), **_happened_words(), **_policy_entries()}


def _audience_words() -> dict[str, str]:
    return {
        "listens": _("listens"),
        "audience_named_one": ngettext("{number} with a name", "{number} with a name", 1),
        "audience_named_other": ngettext("{number} with a name", "{number} with a name", 2),
        "audience_unnamed_one": ngettext("{number} without", "{number} without", 1),
        "audience_unnamed_other": ngettext("{number} without", "{number} without", 2),
        "audience_found_one": ngettext("{number} listener found.", "{number} listeners found.", 1),
        "audience_found_other": ngettext("{number} listener found.", "{number} listeners found.", 2),
        "unseen_now": _("You listen unseen: nobody here reads your name."),
        "seen_now": _("People may see that you listen."),
        "hands_locked_now": _("No new hands are taken now."),
        "hands_open_now": _("New hands are taken again."),
    }


def _key_words() -> dict[str, str]:
    return {
        "key_help": _("Show the keys"),
        "key_microphone": _("Your microphone on or off"),
        "key_mic_on": _("Your microphone is on."),
        "key_mic_off": _("Your microphone is off."),
        "key_hand": _("Raise or lower your hand"),
        "key_hand_down": _("Your hand is down."),
        "key_sound": _("Sound on or off"),
        "key_sound_on": _("The sound is on."),
        "key_sound_off": _("The sound is off."),
        "key_take_seat": _("Take a seat"),
        "key_leave_seat": _("Stand up"),
        "key_share": _("Share"),
        "key_react": _("React"),
        "key_end": _("End the room, after a question"),
        "key_leave": _("Go to the Leave button"),
        "key_next": _("Let the next hand up"),
        "key_lock": _("Take no new hands, or take them again"),
        "key_mute_all": _("Mute all"),
        "key_panel": _("Go to the host panel, or close it"),
        "key_search": _("Search listeners by name"),
        "key_entry": _("Choose who may come in"),
        "key_speak": _("Choose who may speak"),
        "key_cards": _("The card of a person at the table; in a card, what can be done there"),
    }


def _happened_words() -> dict[str, str]:
    return {
        "happened_room_opened": _("The room opened."),
        "happened_seat_taken": _("{name} sat down."),
        "happened_seat_left": _("{name} left the table."),
        "happened_seat_left_unseated": _("{name} was taken off the stage."),
        "happened_seat_left_lost": _("{name} lost the connection, and the seat."),
        "happened_seat_muted_on": _("{name} turned the microphone on."),
        "happened_seat_muted_off": _("{name} turned the microphone off."),
        "happened_seat_muted_off_by": _("{other} muted {name}."),
        "happened_seat_muted_held_by": _("{other} keeps {name} muted."),
        "happened_cohost_named": _("{name} is co-host now."),
        "happened_cohost_ended": _("{name} is no longer co-host."),
        "happened_host_changed": _("{name} became host after {other}."),
        "happened_host_changed_given_by": _("{other} made {name} the host."),
        "happened_host_lost": _("The host lost the connection."),
        "happened_host_back": _("The host is back."),
        "happened_recording_paused": _("Recording is paused: the disk is full."),
        "happened_recording_resumed": _("Recording goes on."),
        "happened_hands_locked_on": _("No new hands are taken."),
        "happened_hands_locked_off": _("New hands are taken again."),
    }


def _policy_entries() -> dict[str, str]:
    return {
        "happened_entry_policy_set_anyone": _("Anyone may come in."),
        "happened_entry_policy_set_signed_in": _("Everyone who is signed in may come in."),
        "happened_entry_policy_set_followers": _("Followers of the host may come in."),
        "happened_entry_policy_set_invited": _("Only invited people may come in."),
        "happened_speak_policy_set_everyone": _("Everyone with an account may speak."),
        "happened_speak_policy_set_followed": _("People whom the host follows may speak."),
        "happened_speak_policy_set_invited": _("Invited people may speak."),
    }
