"""Rooms with co-hosts, and what tests ask of a stage."""

from __future__ import annotations

from typing import Any

from people.models import User
from rooms import actions
from rooms.models import Room, RoomEvent, Seat
from tests.support.rooms import open_room, seated


def with_cohosts(*handles: str, **values: Any) -> tuple[Room, list[User]]:
    room = open_room(**values)
    users = [seated(handle, room) for handle in handles]
    for user in users:
        actions.name_cohost(room.pk, user, by=room.host)
    return room, users


def stage(room: Room) -> dict[str, tuple[str, int]]:
    seats = Seat.objects.filter(room=room, left_at=None).values_list("user__handle", "role", "place")
    return {handle: (role, place) for handle, role, place in seats}


def last(room: Room, kind: str) -> dict[str, Any]:
    data: dict[str, Any] = RoomEvent.objects.filter(room=room, type=kind).latest("seq").data
    return data


def fresh(room: Room) -> Room:
    return Room.objects.select_related("host").get(pk=room.pk)
