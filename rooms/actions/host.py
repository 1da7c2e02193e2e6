"""Loss and return of the host's connection. A room without its host ends after the grace period."""

from __future__ import annotations

from datetime import datetime

from rooms.actions.locking import locked
from rooms.rules.facts import grace_ends
from rooms.wire.events import append_event, iso


def host_lost(room_id: int, at: datetime) -> bool:
    """Record that the host is away since `at`. Returns whether that changed anything."""
    with locked(room_id) as room:
        if not room.is_live or room.host_lost_at is not None:
            return False
        room.host_lost_at = at
        room.save(update_fields=["host_lost_at"])
        append_event(room, "host_lost", {"lost_at": iso(at), "ends_at": iso(grace_ends(room)), "hands_over_at": None})
    return True


def host_back(room_id: int) -> bool:
    """Record that the host is connected again. Returns whether that changed anything."""
    with locked(room_id) as room:
        if not room.is_live or room.host_lost_at is None:
            return False
        room.host_lost_at = None
        room.save(update_fields=["host_lost_at"])
        append_event(room, "host_back", {})
    return True
