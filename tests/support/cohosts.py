"""Rooms with co-hosts, and what tests ask of a stage."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from django.db import connection

from people.models import User
from rooms import actions
from rooms.models import Room, RoomEvent, Seat
from rooms.rules.refusals import RoomRefused
from tests.support.rooms import open_room, seated


def said(act: Any, *args: Any, **named: Any) -> str:
    """ "ok", or the code of the refusal."""
    try:
        act(*args, **named)
    except RoomRefused as refused:
        return str(refused.code)
    return "ok"


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


def at_once(*acts: Callable[[], Any]) -> list[str]:
    """Start all acts at the same moment, each with a connection of its own; "ok" or the refusal's code of each."""
    gate = threading.Barrier(len(acts))

    def do(act: Callable[[], Any]) -> str:
        try:
            gate.wait(30)
            return said(act)
        finally:
            connection.close()

    with ThreadPoolExecutor(len(acts)) as pool:
        return list(pool.map(do, acts))
