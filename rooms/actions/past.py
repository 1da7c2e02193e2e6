"""Give a room of the demo the times of sound that was made beforehand."""

from __future__ import annotations

from datetime import datetime

from rooms.actions.locking import locked
from rooms.models import Consent, Room, RoomEvent, Seat
from rooms.rules.refusals import RoomRefused

AT_THE_END = ("seat_left", "room_ended")


def move_demo_room(room_pk: int, started_at: datetime, ended_at: datetime) -> Room:
    """Let an ended room of the demo have begun and ended then, with its seats, events and consents. Raises
    not_allowed for any other room, unknown_room."""
    with locked(room_pk) as room:
        if not room.is_demo or room.status != Room.Status.ENDED or started_at >= ended_at:
            raise RoomRefused("not_allowed")
        Seat.objects.filter(room=room).update(taken_at=started_at, left_at=ended_at)
        Consent.objects.filter(room=room).update(at=started_at)
        room.started_at, room.ended_at = started_at, ended_at
        room.save(update_fields=["started_at", "ended_at"])
        _move_events(room)
        room.refresh_from_db()  # the database computes `over_at`
    return room


def _move_events(room: Room) -> None:
    """Write the room's events anew, for they are never edited: what happened is at its beginning or its end."""
    rows = RoomEvent.objects.filter(room=room)
    events = list(rows.order_by("seq"))
    rows.delete()
    for event in events:
        event.pk, event.at_ms = None, room.room_time(room.ended_at) if event.type in AT_THE_END else 0
    RoomEvent.objects.bulk_create(events)
