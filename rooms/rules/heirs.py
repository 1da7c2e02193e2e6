"""Co-hosts who can receive a room: the rule `permissions.may_become_host`, with its facts loaded for many at once."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from people.standing import NOBODY, kept_from_hosting, standings
from rooms.models import Room, Seat
from rooms.rules import permissions
from rooms.rules.facts import Pair, facts_of_many


def may_not_receive(people: Collection[tuple[Room, int]]) -> dict[Pair, str | None]:
    """Refusal codes of accounts that would become host of a room, None for yes. Five queries."""
    users = {user for _room, user in people}
    facts, standing = facts_of_many(people), standings(users)
    hosts = set(Room.objects.filter(host__in=users, status=Room.Status.LIVE).values_list("host_id", flat=True))
    return {
        (room.pk, user): permissions.may_become_host(
            facts[room.pk, user],
            kept_from_hosting=kept_from_hosting(standing.get(user, NOBODY)),
            hosts_elsewhere=user in hosts,
        )
        for room, user in people
    }


def heirs_among(seats: Iterable[tuple[Room, Seat]]) -> list[Seat]:
    """The open seats whose co-hosts can receive their room, by place. No query where there is no co-host."""
    cohosts = [(room, seat) for room, seat in seats if seat.role == Seat.Role.COHOST]
    if not cohosts:
        return []
    codes = may_not_receive([(room, seat.user_id) for room, seat in cohosts])
    heirs = [seat for room, seat in cohosts if codes[room.pk, seat.user_id] is None]
    return sorted(heirs, key=lambda seat: seat.place)


def heirs_of(room: Room) -> list[Seat]:
    """The open seats whose co-hosts can receive this room, by place."""
    seats = Seat.objects.select_related("user").filter(room=room, left_at=None, role=Seat.Role.COHOST)
    return heirs_among((room, seat) for seat in seats)
