"""The right to enter a room by a socket, and the own part of its first snapshot, from one reading of the facts."""

from __future__ import annotations

from people.standing import Standing
from rooms import actions
from rooms.live.feed import Shared
from rooms.models import Room
from rooms.rules import permissions
from rooms.rules.admission import sides_of
from rooms.rules.facts import facts_of_nobody, facts_of_standing
from rooms.rules.identity import Who
from rooms.rules.permissions import Facts
from rooms.rules.refusals import RoomRefused, refuse
from rooms.rules.staff import may_hear_staff_channel, with_staff_rights
from rooms.wire.snapshot import You, you, you_as_staff


def admit_nobody(shared: Shared, who: Who) -> You:
    """Admit somebody who is signed out, by what all sockets of the room share: no query. Raises the refusal of
    `permissions.may_enter`, or not_open_yet or room_cancelled where a prepared room never began."""
    room = shared.base.row
    facts = facts_of_nobody(room, who.key, shared.macs)
    refuse(permissions.may_enter(facts))
    _refuse_unopened(room)
    return you(room, who, facts)


def admit(room: Room, who: Who, standing: Standing) -> tuple[frozenset[str], You]:
    """Admit an account whose standing is known: one query, and those of what it has in the room. Returns its narrower
    channels and its part of the snapshot; raises as `actions.admit` and `admit_nobody` do."""
    assert who.user is not None
    facts: Facts = actions.admit(room, who, facts_of_standing(room, who.user, standing))
    _refuse_unopened(room)
    return sides_of(facts, hears_staff=_hears_staff(who)), you(room, with_staff_rights(who), facts)


def admit_as_staff(room: Room, who: Who) -> tuple[frozenset[str], You]:
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
