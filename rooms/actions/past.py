"""Give a room of the demo the times of sound that was made beforehand."""

from __future__ import annotations

from datetime import datetime

from rooms.actions.locking import locked
from rooms.models import Consent, Room, Seat
from rooms.rules.refusals import RoomRefused


def move_demo_room(room_pk: int, started_at: datetime, ended_at: datetime) -> Room:
    """Let an ended room of the demo have begun and ended then, with its seats and consents. Raises not_allowed for any
    other room, unknown_room."""
    with locked(room_pk) as room:
        if not room.is_demo or room.status != Room.Status.ENDED or started_at >= ended_at:
            raise RoomRefused("not_allowed")
        Seat.objects.filter(room=room).update(taken_at=started_at, left_at=ended_at)
        Consent.objects.filter(room=room).update(at=started_at)
        room.started_at, room.ended_at = started_at, ended_at
        room.save(update_fields=["started_at", "ended_at"])
        room.refresh_from_db()  # the database computes `over_at`
    return room
