"""Verbs of captions: each calls one action as `me`, the account that asks."""

from __future__ import annotations

from people.models import User
from rooms import actions
from rooms.live.verbs.call import Call
from rooms.live.verbs.verb import Answer


def set_captions(call: Call, me: User, on: bool) -> Answer:
    """Have what is said in the room written down, or not, as host or co-host."""
    actions.set_captions(call.room_pk, me, on)
    return {}


def own_captions(call: Call, me: User, off: bool, user: User | None) -> Answer:
    """Have what you say in this room written down, or not; nobody else can."""
    # A client that names somebody is answered by the rule: only oneself.
    actions.set_own_captions(call.room_pk, user or me, off, by=me)
    return {}


def set_language(call: Call, me: User, language: str) -> Answer:
    """Say which language is spoken in the room, as host or co-host."""
    actions.set_language(call.room_pk, me, language)
    return {}
