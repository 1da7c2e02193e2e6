"""Open connections checked again: those whose rights are gone, by the facts as they are now.

The hub asks for its sockets and the media supervisor for its handles in Janus, after each change and by the clock.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from people.sessions import alive
from people.staff_gate import fresh_sessions
from rooms.models import Room
from rooms.rules import permissions
from rooms.rules.facts import facts_of_many, facts_of_nobody
from rooms.rules.identity import session_of, user_pk_of
from rooms.rules.permissions import Facts

WHOLE_ACCOUNT = frozenset({"account_closed", "account_suspended"})


@dataclass(frozen=True, slots=True)
class Guest:
    """One connection to a room: whose it is (`Who.key`) and its name, which tells the session (`identity.new_conn`)."""

    room_pk: int
    who: str
    conn: str


@dataclass(frozen=True, slots=True)
class Admission:
    """The rights of one connection: `refused` is the code that ends it, `sides` are the narrower channels it hears."""

    refused: str | None = None
    sides: frozenset[str] = frozenset()


def sides_of(facts: Facts, *, fresh_staff: bool) -> frozenset[str]:
    """The narrower channels that somebody may hear: "host" for host and co-hosts, "staff"."""
    sides = {"host"} if facts.signed_in and facts.role in permissions.HELPERS else set()
    return frozenset(sides | ({"staff"} if fresh_staff and facts.signed_in else set()))


def refused(guests: Collection[Guest]) -> dict[Guest, str]:
    """The connections that may not go on, each with the code that says why; the others are missing."""
    return {guest: found.refused for guest, found in admissions(guests).items() if found.refused is not None}


def admissions(guests: Collection[Guest]) -> dict[Guest, Admission]:
    """The rights of each connection to a room that is there, by the facts as they are now.

    At most eight queries, however many there are, and one more for each of the staff.
    """
    rooms = Room.objects.in_bulk({guest.room_pk for guest in guests})
    users = {guest: user_pk_of(guest.who) for guest in guests if guest.room_pk in rooms}
    pairs = {(guest.room_pk, user) for guest, user in users.items() if user is not None}
    facts = facts_of_many([(rooms[room_pk], user) for room_pk, user in pairs])
    sessions = alive({session_of(guest.conn) for guest, user in users.items() if user is not None})
    staff = fresh_sessions(sessions)
    admitted: dict[Guest, Admission] = {}
    for guest, user in users.items():
        own = facts_of_nobody(rooms[guest.room_pk]) if user is None else facts[guest.room_pk, user]
        code = permissions.may_enter(own)
        session = session_of(guest.conn)
        if user is not None and code not in WHOLE_ACCOUNT and sessions.get(session) != user:
            code = "signed_out"
        sides = sides_of(own, fresh_staff=session in staff) if code is None else frozenset()
        admitted[guest] = Admission(code, sides)
    return admitted
