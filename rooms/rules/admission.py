"""Open connections checked again: those whose rights are gone, by the facts as they are now.

The hub asks for its sockets and the media supervisor for its handles in Janus, after each change and by the clock.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from people.sessions import alive
from rooms.models import Room
from rooms.rules import permissions
from rooms.rules.facts import facts_of_many, facts_of_nobody
from rooms.rules.identity import session_of, user_pk_of

WHOLE_ACCOUNT = frozenset({"account_closed", "account_suspended"})


@dataclass(frozen=True, slots=True)
class Guest:
    """One connection to a room: whose it is (`Who.key`) and its name, which tells the session (`identity.new_conn`)."""

    room_pk: int
    who: str
    conn: str


def refused(guests: Collection[Guest]) -> dict[Guest, str]:
    """Those who may not be where they are, each with the code that says why; the others are missing.

    At most seven queries, however many there are.
    """
    rooms = Room.objects.in_bulk({guest.room_pk for guest in guests})
    users = {guest: user_pk_of(guest.who) for guest in guests if guest.room_pk in rooms}
    pairs = {(guest.room_pk, user) for guest, user in users.items() if user is not None}
    facts = facts_of_many([(rooms[room_pk], user) for room_pk, user in pairs])
    sessions = alive({session_of(guest.conn) for guest, user in users.items() if user is not None})
    found: dict[Guest, str] = {}
    for guest, user in users.items():
        own = facts_of_nobody(rooms[guest.room_pk]) if user is None else facts[guest.room_pk, user]
        code = permissions.may_enter(own)
        if user is not None and code not in WHOLE_ACCOUNT and sessions.get(session_of(guest.conn)) != user:
            code = "signed_out"
        if code is not None:
            found[guest] = code
    return found
