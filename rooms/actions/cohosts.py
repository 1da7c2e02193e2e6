"""Co-hosts: named by the host, demoted by the host or by themselves. They keep their seat's row, and so microphone and
track go on."""

from __future__ import annotations

from people.models import User
from rooms.actions.host import cohosts_changed
from rooms.actions.locking import locked
from rooms.actions.rights import role_changed
from rooms.actions.seating import connected_people, free_places, seats_changed, stand_up
from rooms.models import Seat
from rooms.rules import permissions
from rooms.rules.facts import facts_of, open_seat
from rooms.rules.refusals import RoomRefused, refuse
from rooms.wire.sides import tell

PLACES = (11, 12)  # of co-hosts, permissions.MOST_COHOSTS


def name_cohost(room_id: int, user: User, by: User) -> Seat:
    """Make a speaker a co-host; one who is co-host already stays it.

    Raises not_host, not_on_stage, not_allowed (it is the host), cohosts_full, room_ended.
    """
    connected = connected_people(room_id)
    with locked(room_id) as room:
        seat = open_seat(room, user)
        taken = set(Seat.objects.filter(room=room, left_at=None, role=Seat.Role.COHOST).values_list("place", flat=True))
        target_role = None if seat is None else seat.role
        refuse(permissions.may_name_cohost(facts_of(room, by), target_role=target_role, cohosts=len(taken)))
        if seat is None:
            raise RoomRefused("not_on_stage")
        if seat.role != Seat.Role.COHOST:
            seat.role, seat.place = Seat.Role.COHOST, next(place for place in PLACES if place not in taken)
            seat.save(update_fields=["role", "place"])
            seats_changed(room, connected)
            role_changed(user.pk)
            cohosts_changed(room)
    return seat


def demote(room_id: int, user: User, by: User) -> Seat:
    """End somebody's being co-host. They take the lowest free speaker's place, or join the audience where none is free.

    Raises not_host, not_a_cohost, room_ended.
    """
    connected = connected_people(room_id)
    with locked(room_id) as room:
        seat, by_self = open_seat(room, user), by.pk == user.pk
        target_role = None if seat is None else seat.role
        refuse(permissions.may_demote(facts_of(room, by), by_self=by_self, target_role=target_role))
        if seat is None:
            raise RoomRefused("not_a_cohost")
        free = free_places(room)
        if free:
            seat.role, seat.place = Seat.Role.SPEAKER, free[0]
            seat.save(update_fields=["role", "place"])
            seats_changed(room, connected)
            role_changed(user.pk)
            cohosts_changed(room)
        else:
            stand_up(room, seat, Seat.LeftReason.UNSEATED)
        by_handle = None if by_self else by.handle
        tell(user.pk, {"type": "you_demoted", "room": room.slug, "by": by_handle, "seated": bool(free)})
    return seat
