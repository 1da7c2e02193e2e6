"""Check open connections again: find those whose right to be in their room has ended.

The hub calls this for its sockets and the media supervisor for its Janus handles, after each change of rights and at
regular intervals.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from people.sessions import alive
from people.standing import standings, why_not_enter
from rooms.models import Room
from rooms.rules import permissions
from rooms.rules.facts import facts_of_many, facts_of_nobody, removed_macs
from rooms.rules.identity import is_staff_conn, session_of, user_pk_of
from rooms.rules.permissions import Facts
from rooms.rules.staff import listening_sessions, may_hear_staff_channel, why_not_listen_as_staff

WHOLE_ACCOUNT = frozenset({"account_closed", "account_suspended"})


@dataclass(frozen=True, slots=True)
class Guest:
    """One connection to a room: `who` is its person (`Who.key`), `conn` its name (`identity.new_conn`)."""

    room_pk: int
    who: str
    conn: str


@dataclass(frozen=True, slots=True)
class Admission:
    """Rights of one connection: `refused` is the code that ends it, `sides` are the narrower channels it gets."""

    refused: str | None = None
    sides: frozenset[str] = frozenset()


def sides_of(facts: Facts, *, hears_staff: bool) -> frozenset[str]:
    """Narrower channels that a person may receive: "host" for host and co-hosts, "staff"."""
    sides = {"host"} if facts.signed_in and facts.role in permissions.HELPERS else set()
    return frozenset(sides | ({"staff"} if hears_staff and facts.signed_in else set()))


def refused(guests: Collection[Guest]) -> dict[Guest, str]:
    """Refusal codes of the connections that are no longer allowed; allowed ones are missing from the result.

    At most seven queries, whatever the number of connections.
    """
    return {guest: code for guest, (_facts, code) in _looked_up(guests).items() if code is not None}


def admissions(guests: Collection[Guest]) -> dict[Guest, Admission]:
    """Load the rights of each connection to an existing room.

    At most eight queries, whatever the number of connections, and a few more for each member of staff.
    """
    looked_up = _looked_up(guests)
    signed_in = {session_of(guest.conn) for guest, (facts, _code) in looked_up.items() if facts.signed_in}
    staff = may_hear_staff_channel(signed_in)
    return {
        guest: Admission(code)
        if code is not None
        else Admission(sides=sides_of(facts, hears_staff=session_of(guest.conn) in staff))
        for guest, (facts, code) in looked_up.items()
    }


def refused_people(guests: Collection[Guest]) -> dict[Guest, str]:
    """Refusal codes of connections of people that are in no room and no longer allowed. Two queries, and a few more
    for each page of staff, which ends with the right to its messages."""
    users = {guest: user_pk_of(guest.who) or 0 for guest in guests}
    standing = standings(set(users.values()))
    sessions = alive({session_of(guest.conn) for guest in guests})
    of_staff = {session_of(guest.conn) for guest in guests if is_staff_conn(guest.conn)}
    hearing = may_hear_staff_channel(of_staff) if of_staff else set()
    codes = {}
    for guest, user in users.items():
        session = session_of(guest.conn)
        code = why_not_enter(standing[user]) if user in standing else "account_closed"
        codes[guest] = code or ("" if sessions.get(session) == user else "signed_out")
        if not codes[guest] and session in of_staff - hearing and is_staff_conn(guest.conn):
            codes[guest] = "no_staff_access"
    return {guest: code for guest, code in codes.items() if code}


def _looked_up(guests: Collection[Guest]) -> dict[Guest, tuple[Facts, str | None]]:
    """Facts of each connection to an existing room, and the code that ends it."""
    rooms = Room.objects.in_bulk({guest.room_pk for guest in guests})
    users = {guest: user_pk_of(guest.who) for guest in guests if guest.room_pk in rooms}
    pairs = {(guest.room_pk, user) for guest, user in users.items() if user is not None}
    facts = facts_of_many([(rooms[room_pk], user) for room_pk, user in pairs])
    macs = removed_macs({guest.room_pk for guest, user in users.items() if user is None})
    sessions = alive({session_of(guest.conn) for guest, user in users.items() if user is not None})
    of_staff = {(guest.room_pk, session_of(guest.conn)) for guest in users if is_staff_conn(guest.conn)}
    fresh = listening_sessions(of_staff) if of_staff else set()
    looked_up: dict[Guest, tuple[Facts, str | None]] = {}
    for guest, user in users.items():
        if user is None:
            own = facts_of_nobody(rooms[guest.room_pk], guest.who, macs.get(guest.room_pk, ()))
        else:
            own = facts[guest.room_pk, user]
        if user is not None and is_staff_conn(guest.conn):
            is_fresh = (guest.room_pk, session_of(guest.conn)) in fresh
            code = why_not_listen_as_staff(own, user, guest.room_pk, fresh_step=is_fresh)
        else:
            code = permissions.may_enter(own)
        if user is not None and code not in WHOLE_ACCOUNT and sessions.get(session_of(guest.conn)) != user:
            code = "signed_out"
        looked_up[guest] = own, code
    return looked_up
