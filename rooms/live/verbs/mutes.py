"""Verbs of the host's side about others' microphones."""

from __future__ import annotations

from people.models import User
from rooms import actions
from rooms.live.verbs.call import Call
from rooms.live.verbs.verb import Answer


def mute_all(call: Call, me: User) -> Answer:
    """Close all microphones but the host's and your own, as host or co-host; people may open theirs again."""
    return {"muted": actions.mute_all(call.room_pk, by=me)}


def hold_mute(call: Call, me: User, user: User) -> Answer:
    """Close somebody's microphone and keep it off until that is lifted, as host or co-host."""
    actions.hold_mute(call.room_pk, user, by=me)
    return {}


def lift_mute(call: Call, me: User, user: User) -> Answer:
    """Let somebody open the microphone again that was kept off, as host or co-host."""
    actions.lift_mute(call.room_pk, user, by=me)
    return {}


def ask_unmute(call: Call, me: User, user: User) -> Answer:
    """Ask somebody to open the microphone, as host or co-host; only they read it."""
    actions.ask_unmute(call.room_pk, user, by=me)
    return {}
