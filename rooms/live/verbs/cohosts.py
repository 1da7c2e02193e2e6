"""Verbs about co-hosts and the hand-over of a room."""

from __future__ import annotations

from people.models import User
from rooms import actions
from rooms.live.verbs.call import Call
from rooms.live.verbs.verb import Answer


def name_cohost(call: Call, me: User, user: User) -> Answer:
    """Make a speaker a co-host, as the host; there are two at most."""
    actions.name_cohost(call.room_pk, user, by=me)
    return {}


def demote(call: Call, me: User, user: User) -> Answer:
    """End somebody's being co-host, as the host, or your own. Without a free place they join the audience."""
    actions.demote(call.room_pk, user, by=me)
    return {}


def hand_over(call: Call, me: User, user: User) -> Answer:
    """Give the room to a co-host for good, as the host; you become co-host."""
    actions.hand_over(call.room_pk, user, by=me)
    return {}
