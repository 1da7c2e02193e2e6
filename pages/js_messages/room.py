"""Texts of the room page's scripts, in the reader's language; the page carries them as JSON."""

from __future__ import annotations

from django.utils.translation import gettext as _
from django.utils.translation import ngettext, pgettext

from pages.js_messages.captions import caption_words
from pages.js_messages.clips import clip_words
from pages.js_messages.devices import device_words
from pages.js_messages.hands import hand_words
from pages.js_messages.host_side import host_side_words
from pages.js_messages.invitations import invitation_words, invite_words
from pages.js_messages.panel import panel_words
from pages.js_messages.reactions import reaction_words
from pages.js_messages.removals import removal_words
from pages.js_messages.staff import staff_words


def room_words() -> dict[str, str]:
    """Return the texts by key.

    Scripts fill in `{name}` and the like, and choose `…_one` or `…_other` by the reader's plural rules.
    """
    room = {**_table_words(), **_control_words(), **_check_words(), **_trouble_words(), **_entry_words()}
    people = {**hand_words(), **host_side_words(), **removal_words(), **invite_words(), **invitation_words()}
    people |= caption_words()
    parts = (device_words(), reaction_words(), panel_words(), clip_words(), staff_words())
    return {**room, **people, **{key: text for part in parts for key, text in part.items()}}


def _entry_words() -> dict[str, str]:
    # The page's first paint has the same sentence, with %(name)s.
    followers = _("People who follow %(name)s can come in with this address.") % {"name": "{name}"}
    return {
        "entry_anyone": _("Anyone with this address can listen, also without an account."),
        "entry_signed_in": _("Everyone who is signed in can come in with this address."),
        "entry_followers": followers,
        "entry_changed": _("The host changed who may come in."),
        "entry_invited": _("Nobody else can come in: only the host and the people at the table are here."),
    }


def _table_words() -> dict[str, str]:
    return {
        "listening_one": ngettext("{number} listening", "{number} listening", 1),
        "listening_other": ngettext("{number} listening", "{number} listening", 2),
        "free_one": ngettext("{number} place free", "{number} places free", 1),
        "free_other": ngettext("{number} place free", "{number} places free", 2),
        "title_removed": _("Title removed"),
        "host": _("host"),
        "cohost": _("co-host"),
        "you": pgettext("oneself at the table", "you"),
        "mic_on": _("microphone on"),
        "mic_off": _("microphone off"),
        "away": _("connection lost"),
        "talking": _("talking"),
        "talks_two": _("{name} and {other}"),
        "talks_more": _("{name} and others"),
        "host_lost": _("The host lost the connection. The room ends at {time} unless the host comes back."),
        "host_lost_heir": _(
            "The host lost the connection. A co-host becomes host at {time} unless the host comes back."
        ),
        "host_back": _("The host is back."),
        "recording_resumed": _("Recording goes on."),
        "sat_one": _("{name} sat down."),
        "sat_two": _("{name} and {other} sat down."),
        "sat_many_one": ngettext("{number} person sat down.", "{number} people sat down.", 1),
        "sat_many_other": ngettext("{number} person sat down.", "{number} people sat down.", 2),
        "stood_one": _("{name} left the table."),
        "stood_two": _("{name} and {other} left the table."),
        "stood_many_one": ngettext("{number} person left the table.", "{number} people left the table.", 1),
        "stood_many_other": ngettext("{number} person left the table.", "{number} people left the table.", 2),
        "live": _("Live"),
        "not_connected": _("Not connected"),
        "ended": _("This room has ended"),
        "ended_host": _("The host ended it."),
        "ended_host_gone": _("The host lost the connection and did not come back."),
        "ended_stage_empty": _("Nobody was on stage any more."),
        "ended_time_up": _("Its time was up."),
        "ended_staff": _("Staff ended it."),
        "room_over": _("The room is over."),
        "ended_short": _("Ended"),
    }


def _control_words() -> dict[str, str]:
    return {
        "not_allowed_to_speak": _("Here, people whom the host follows take a seat."),
        "stage_full": _("Every seat is taken. One is free when somebody stands up."),
        "copied": _("The address is copied."),
        "copy_failed": _("The address could not be copied. Here it is: {url}"),
        "connecting": _("Sound is being connected…"),
        "muted_by": _("{name} muted you. You can unmute when it is your turn."),
        "muted_you": _("You were muted. You can unmute when it is your turn."),
        "unseated_you": _("You were taken off the stage. You can go on listening."),
        "follow": _("Follow"),
        "own_page": _("See your page"),
        "their_page": _("See their page"),
        "unfollow": _("Unfollow"),
        "undo": _("Undo"),
        "taking_off": _("{name} is muted, and is taken off the stage in a moment."),
        "taken_off": _("{name} was taken off the stage."),
        "stood_up": _("You left the table. You can go on listening."),
        "on_stage": _("You sit at the table. Your microphone is off until you unmute."),
    }


def _check_words() -> dict[str, str]:
    return {
        "check_default": _("Microphone"),
        "check_recording": _("Recording: say something…"),
        "check_playing": _("This is how you sound."),
        "check_played": _("Did you hear yourself? Then so will they."),
        "check_silent": _("Nothing was heard. Is the right microphone chosen, and is it switched on?"),
        "check_denied": _(
            "The browser does not let this page use the microphone. Allow it in the address bar, then try again."
        ),
        "check_none": _("No microphone was found. Plug one in, then try again."),
        "check_busy": _("The microphone could not be opened. Another program may be using it."),
        "check_insecure": _("Without a secure connection (https) the browser keeps the microphone shut."),
        "net_trying": _("Being tried…"),
        "net_good": _("This network lets you speak."),
        "net_bad": _(
            "This network does not let your voice through: it seems to block the connection that sound needs. "
            "Listening works. To speak, try another network, such as that of your phone."
        ),
        "net_unknown": _("Whether this network lets you speak could not be found out right now. You can try."),
        "go_seat": _("Take a seat"),
        "go_mic": _("Start speaking"),
        "go_anyway": _("Sit down anyway"),
    }


def _trouble_words() -> dict[str, str]:
    return {
        "offline": _("You are offline. The room goes on; you are brought back by yourself when the network is."),
        "too_many": _(
            "Too many rooms are open, from you or from your network. Close some: this page keeps trying by itself."
        ),
        "reconnecting": _("The connection was lost. It is being made again…"),
        "back": _("You are back."),
        "back_muted": _("You are back at the table. Your microphone is off."),
        "back_unmuted": _("You are back at the table. Your microphone is on."),
        "no_line": _("No connection to the room. It is being made again."),
        "gone": _("There is no room at this address any more."),
        "out_not_allowed": _("This room is not open to everybody: its host chooses who may come in."),
        "out_not_signed_in": _("Only people who are signed in come into this room."),
        "mic_elsewhere": _(
            "You speak in another page or on another device. This page stays quiet until you speak here."
        ),
        "mic_lost": _("Your microphone stopped. Press Unmute to open it again."),
        "failed": _("That did not work. Nothing is lost; try it again."),
    }
