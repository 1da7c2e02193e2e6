"""Verbs of hands and of the speak policy: each calls one action as `me`, the account that asks."""

from __future__ import annotations

from people.models import User
from rooms import actions
from rooms.live.verbs.call import Call
from rooms.live.verbs.verb import Answer


def raise_hand(call: Call, me: User) -> Answer:
    """Ask to speak: join the end of the queue of hands, or keep the place you have."""
    return {"place": actions.raise_hand(call.room_pk, me)}


def lower_hand(call: Call, me: User) -> Answer:
    """Lower your own hand."""
    actions.lower_hand(call.room_pk, me)
    return {}


def let_up(call: Call, me: User, user: User | None) -> Answer:
    """Give a seat to somebody whose hand is up, as host or co-host; without a name to the next."""
    seat = actions.let_up(call.room_pk, me, user)
    return {"user": seat.user.handle, "place": seat.place}


def decline_hand(call: Call, me: User, user: User) -> Answer:
    """Lower somebody's hand, as host or co-host."""
    actions.decline_hand(call.room_pk, me, user)
    return {}


def lock_hands(call: Call, me: User, locked: bool) -> Answer:
    """Take no new hands, or take them again, as host or co-host; hands that are up stay."""
    actions.lock_hands(call.room_pk, me, locked)
    return {}


def set_speak_policy(call: Call, me: User, policy: str) -> Answer:
    """Change who may take a seat unasked, as host or co-host. Nobody leaves the stage by it."""
    return {"not_admitted": actions.set_speak_policy(call.room_pk, me, policy)}
