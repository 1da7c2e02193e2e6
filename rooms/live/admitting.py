"""The right to enter a room by a socket, and the own part of its first snapshot, from one reading of the facts."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from django.db import InterfaceError, OperationalError, connection

from core.threads import in_thread
from core.together import Together
from people.standing import Standing
from rooms import actions
from rooms.live.feed import Shared
from rooms.models import Room
from rooms.rules import permissions
from rooms.rules.admission import sides_of
from rooms.rules.facts import facts_of_known, facts_of_nobody
from rooms.rules.identity import Who, arrivals_of_cookies
from rooms.rules.permissions import Facts
from rooms.rules.refusals import RoomRefused, refuse
from rooms.rules.staff import may_hear_staff_channel, with_staff_rights
from rooms.wire.snapshot import You, you, you_as_staff

T = TypeVar("T")
Entry = tuple[frozenset[str], You]
"""What somebody who may enter gets: narrower channels, and the own part of the snapshot."""


@dataclass(frozen=True)
class Arrival:
    """An account at the door of a room, as they were read: the room's row, the person and their standing."""

    room: Room
    who: Who
    standing: Standing


class Door:
    """Questions to the database about signed-in people who come in: who they are, and then what they may. All that is
    asked in the same moment takes one turn of a thread, and a statement of each kind."""

    def __init__(self) -> None:
        self._together: Together[dict[str, str] | Arrival, Any] = Together(
            lambda asked: in_thread(answer_together, asked), "door"
        )

    async def identify(self, cookies: dict[str, str]) -> tuple[Who, Standing]:
        """Identify a person by the cookies of a handshake, as `rooms.rules.identity.arrival_of_cookies` does."""
        identified: tuple[Who, Standing] = await self._together.ask(cookies)
        return identified

    async def admit(self, arrival: Arrival) -> Entry:
        """Admit an account, by facts that are read from now on. Raises as `admit` does."""
        entry: Entry | Facts = await self._together.ask(arrival)
        return await in_thread(admit, arrival, entry) if isinstance(entry, Facts) else entry


def answer_together(asked: Sequence[dict[str, str] | Arrival]) -> list[Any]:
    """Answer questions of `Door`, in their order: identify browsers by their cookies, and admit arrivals."""
    browsers = [one for one in asked if isinstance(one, dict)]
    arrivals = [one for one in asked if isinstance(one, Arrival)]
    people = iter(_read(lambda: arrivals_of_cookies(browsers)) if browsers else ())
    entries = iter(admit_together(arrivals) if arrivals else ())
    return [next(people) if isinstance(one, dict) else next(entries) for one in asked]


def admit_nobody(shared: Shared, who: Who) -> You:
    """Admit somebody who is signed out, by what all sockets of the room share: no query. Raises the refusal of
    `permissions.may_enter`, or not_open_yet or room_cancelled where a prepared room never began."""
    room = shared.base.row
    facts = facts_of_nobody(room, who.key, shared.macs)
    refuse(permissions.may_enter(facts))
    _refuse_unopened(room)
    return you(room, who, facts)


def admit_together(arrivals: Sequence[Arrival]) -> list[Entry | Facts | Exception]:
    """Admit accounts: one query for all of them, and those of what each has in the room. An answer is the entry, or the
    exception of `admit`; or the facts, for an `admit` of its own, where that may wait for a lock or for Redis, or takes
    queries of its own, for which others would wait."""
    people = [(one.room, one.who.user.pk, one.standing) for one in arrivals if one.who.user is not None]
    found = _read(lambda: facts_of_known(people))
    return [_entry(one, facts) for one, facts in zip(arrivals, found, strict=True)]


def _read(query: Callable[[], T]) -> T:
    """Run queries that only read; once more where their connection is lost, for which many would be refused."""
    try:
        return query()
    except (OperationalError, InterfaceError):
        connection.close()
        return query()


def _entry(arrival: Arrival, facts: Facts) -> Entry | Facts | Exception:
    if facts.awaited or arrival.who.listener or _asks_for_more(arrival, facts):
        return facts
    try:
        return admit(arrival, facts)
    except Exception as error:  # of this one alone
        return error


def _asks_for_more(arrival: Arrival, facts: Facts) -> bool:
    """Whether somebody is on the host's side or staff, who get more with their snapshot."""
    return facts.role in permissions.HELPERS or (arrival.who.user is not None and arrival.who.user.is_staff)


def admit(arrival: Arrival, facts: Facts) -> Entry:
    """Admit an account by its facts. Raises as `actions.admit` and `admit_nobody` do."""
    room, who = arrival.room, arrival.who
    actions.admit(room, who, facts)
    _refuse_unopened(room)
    return sides_of(facts, hears_staff=_hears_staff(who)), you(room, with_staff_rights(who), facts)


def admit_as_staff(room: Room, who: Who) -> Entry:
    """Admit somebody who listens in as staff. Raises not_signed_in, or the codes of `actions.admit_staff`."""
    if who.user is None:
        raise RoomRefused("not_signed_in")
    actions.admit_staff(room, who.user, who.session)
    return frozenset({"staff"} if _hears_staff(who) else ()), you_as_staff(room, with_staff_rights(who))


def _hears_staff(who: Who) -> bool:
    return who.user is not None and who.user.is_staff and bool(may_hear_staff_channel([who.session]))


def _refuse_unopened(room: Room) -> None:
    if room.started_at is None:
        refuse(permissions.live(room.status))
