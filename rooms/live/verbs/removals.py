"""Verbs of the host's side that remove a person from the room, and let them in again."""

from __future__ import annotations

from people.models import User
from rooms import actions
from rooms.live.verbs.call import Call
from rooms.live.verbs.verb import Answer


def remove(call: Call, me: User, user: User) -> Answer:
    """Remove somebody from this room for good, as host or co-host, whether or not they are in it."""
    actions.remove_person(call.room_pk, user, by=me)
    return {}


def undo_removal(call: Call, me: User, user: User) -> Answer:
    """Let somebody in again who was removed, as host or co-host; they come back as a listener."""
    actions.undo_removal(call.room_pk, user, by=me)
    return {}
