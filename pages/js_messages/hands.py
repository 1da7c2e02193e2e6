"""Texts of the room page's scripts about hands and the speak policy."""

from __future__ import annotations

from django.utils.translation import gettext as _
from django.utils.translation import ngettext


def hand_words() -> dict[str, str]:
    """Return the texts by key."""
    name = {"name": "{name}"}  # the page's first paint has the same sentences, with %(name)s
    return {
        "no_invitation": _("Here, people whom the host invites take a seat."),
        "go_hand": _("Raise hand"),
        "hand_up": _("Your hand is up. You are number {place}."),
        "hand_place": _("Number {place}"),
        "hand_next": _("You are next."),
        "hand_lost": _("You were away for a while, so your hand is down. You can raise it again."),
        "hand_declined": _("The host cannot let you up right now. You can raise your hand again later."),
        "hands_locked": _("The host takes no new hands at the moment."),
        "hands_open": _("The host takes hands again."),
        "let_up_by": _("{name} let you up. Your microphone is off until you unmute."),
        "let_up_name": _("Let up {name}"),
        "decline_hand_name": _("Decline {name}’s hand"),
        "hand_waits": _("waits {time}"),
        "hand_raised": _("{name} raised a hand."),
        "hands_raised_one": ngettext("{number} hand was raised.", "{number} hands were raised.", 1),
        "hands_raised_other": ngettext("{number} hand was raised.", "{number} hands were raised.", 2),
        "hands_one": ngettext("{number} hand", "{number} hands", 1),
        "hands_other": ngettext("{number} hand", "{number} hands", 2),
        "hands_more_one": ngettext("and {number} more", "and {number} more", 1),
        "hands_more_other": ngettext("and {number} more", "and {number} more", 2),
        "speak_changed": _("The host changed who may speak."),
        "speak_everyone": _("Everyone with an account, as long as a chair is free."),
        "speak_followed": _("People %(name)s follows.") % name,
        "speak_invited": _("People %(name)s invites.") % name,
    }
