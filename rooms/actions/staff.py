"""Acts of moderators in live rooms. `moderation` calls these; it checks who may."""

from __future__ import annotations

from ledger.actions import record
from people.models import User
from rooms.actions.locking import locked
from rooms.actions.opening import end_room
from rooms.models import Room


def end_by_staff(room: Room, by: User | None) -> bool:
    """End a live room for everybody, with reason `staff`. Returns False for a room that is not live. Raises
    unknown_room."""
    with locked(room.pk) as row:
        if not row.is_live:
            return False
        end_room(row.pk, None, Room.EndReason.STAFF)
        record("room_ended_by_staff", f"room:{row.pk}", None if by is None else by.pk)
    return True
