"""The right to enter a room by a socket, and the own part of its first snapshot, from one reading of the facts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

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

Entry = tuple[frozenset[str], You]
"""What somebody who may enter gets: narrower channels, and the own part of the snapshot."""


@dataclass(frozen=True)
class Arrival:
    """An account at the door of a room, as they were read: the room's row, the person and their standing."""

    room: Room
    who: Who
    standing: Standing


class Door:
    """What signed-in people who come in need of the database, in two turns of a thread. Those who come in the same
    moment share the turns and their queries."""

    def __init__(self) -> None:
        self._identify: Together[dict[str, str], tuple[Who, Standing]] = Together(
            lambda browsers: in_thread(arrivals_of_cookies, browsers), "identify"
        )
        self._admit: Together[Arrival, Entry | Facts] = Together(
            lambda arrivals: in_thread(admit_together, arrivals), "admit"
        )

    async def identify(self, cookies: dict[str, str]) -> tuple[Who, Standing]:
        """Identify a person by the cookies of a handshake, as `rooms.rules.identity.arrival_of_cookies` does."""
        return await self._identify.ask(cookies)

    async def admit(self, arrival: Arrival) -> Entry:
        """Admit an account, by facts that are read from now on. Raises as `admit` does."""
        entry = await self._admit.ask(arrival)
        if isinstance(entry, Facts):
            return await in_thread(admit, arrival, entry)
        return entry


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
    exception of `admit`; or the facts, for an `admit` of its own, where that may wait for a lock or for Redis."""
    people = [(one.room, one.who.user.pk, one.standing) for one in arrivals if one.who.user is not None]
    return [_entry(one, facts) for one, facts in zip(arrivals, facts_of_known(people), strict=True)]


def _entry(arrival: Arrival, facts: Facts) -> Entry | Facts | Exception:
    if facts.awaited or arrival.who.listener:
        return facts
    try:
        return admit(arrival, facts)
    except Exception as error:  # of this one alone
        return error


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
