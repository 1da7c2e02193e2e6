"""Check open connections again: find those whose right to be in their room has ended.

The hub calls this for its sockets and the media supervisor for its Janus handles, after each change of rights and at
regular intervals.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import NamedTuple

from people.sessions import alive
from people.standing import standings, why_not_enter
from rooms.models import Room
from rooms.rules import permissions
from rooms.rules.facts import facts_of_many, facts_of_nobody, removed_macs
from rooms.rules.identity import is_staff_conn, session_of, user_pk_of
from rooms.rules.permissions import Facts
from rooms.rules.staff import listening_sessions, may_hear_staff_channel, why_not_listen_as_staff

WHOLE_ACCOUNT = frozenset({"account_closed", "account_suspended"})


class Guest(NamedTuple):
    """One connection to a room: `who` is its person (`Who.key`), `conn` its name (`identity.new_conn`)."""

    room_pk: int
    who: str
    conn: str


class Admission(NamedTuple):
    """Rights of one connection: `refused` is the code that ends it, `sides` are the narrower channels it gets."""

    refused: str | None = None
    sides: frozenset[str] = frozenset()


ADMITTED = Admission()


class Found(NamedTuple):
    """One connection, its session, its facts and the code that ends it."""

    guest: Guest
    session: str
    facts: Facts
    code: str | None


def sides_of(facts: Facts, *, hears_staff: bool) -> frozenset[str]:
    """Narrower channels that a person may receive: "host" for host and co-hosts, "staff"."""
    sides = {"host"} if facts.signed_in and facts.role in permissions.HELPERS else set()
    return frozenset(sides | ({"staff"} if hears_staff and facts.signed_in else set()))


def refused(guests: Collection[Guest]) -> dict[Guest, str]:
    """Refusal codes of the connections that are no longer allowed; allowed ones are missing from the result.

    At most seven queries, whatever the number of connections.
    """
    return {found.guest: found.code for found in _looked_up(guests) if found.code is not None}


def admissions(guests: Collection[Guest]) -> dict[Guest, Admission]:
    """Load the rights of each connection to an existing room.

    At most eight queries, whatever the number of connections, and a few more for each member of staff.
    """
    looked_up = _looked_up(guests)
    staff = may_hear_staff_channel({found.session for found in looked_up if found.facts.signed_in})
    return {found.guest: _admission(found, staff) for found in looked_up}


def _admission(found: Found, staff: Collection[str]) -> Admission:
    if found.code is not None:
        return Admission(found.code)
    sides = sides_of(found.facts, hears_staff=found.session in staff)
    return Admission(sides=sides) if sides else ADMITTED


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


def _looked_up(guests: Collection[Guest]) -> list[Found]:
    """Look up the connections to existing rooms. A hub does that for all it has every few seconds: what most of them
    share is made once."""
    rooms = Room.objects.in_bulk({guest.room_pk for guest in guests})
    here = [(guest, user_pk_of(guest.who)) for guest in guests if guest.room_pk in rooms]
    of_nobody = [guest for guest, user in here if user is None]
    of_accounts = [(guest, user) for guest, user in here if user is not None]
    return [*_of_nobody(of_nobody, rooms), *_of_accounts(of_accounts, rooms)]


def _of_nobody(guests: list[Guest], rooms: Mapping[int, Room]) -> Iterator[Found]:
    room_pks = {guest.room_pk for guest in guests}
    macs = removed_macs(room_pks)
    alike = {room_pk: facts_of_nobody(rooms[room_pk]) for room_pk in room_pks}
    for guest in guests:
        facts = alike[guest.room_pk]
        if removed := macs.get(guest.room_pk):
            facts = facts_of_nobody(rooms[guest.room_pk], guest.who, removed)
        yield Found(guest, "", facts, permissions.may_enter(facts))


def _of_accounts(guests: list[tuple[Guest, int]], rooms: Mapping[int, Room]) -> Iterator[Found]:
    pairs = {(guest.room_pk, user) for guest, user in guests}
    facts = facts_of_many([(rooms[room_pk], user) for room_pk, user in pairs])
    sessions = alive({session_of(guest.conn) for guest, _user in guests})
    of_staff = {(guest.room_pk, session_of(guest.conn)) for guest, _user in guests if is_staff_conn(guest.conn)}
    fresh = listening_sessions(of_staff) if of_staff else set()
    for guest, user in guests:
        own, session = facts[guest.room_pk, user], session_of(guest.conn)
        if is_staff_conn(guest.conn):
            code = why_not_listen_as_staff(own, user, guest.room_pk, fresh_step=(guest.room_pk, session) in fresh)
        else:
            code = permissions.may_enter(own)
        if code not in WHOLE_ACCOUNT and sessions.get(session) != user:
            code = "signed_out"
        yield Found(guest, session, own, code)
