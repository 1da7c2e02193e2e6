"""The host's connection: lost, and back. A room without its host ends after the grace period."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.conf import settings

from rooms.actions.locking import locked
from rooms.events import append_event, iso
from rooms.models import Room


def grace_ends(room: Room) -> datetime | None:
    """When this room ends by itself because its host is gone; None while the host is there."""
    if room.host_lost_at is None:
        return None
    return room.host_lost_at + timedelta(seconds=settings.ROOM_HOST_GRACE_SECONDS)


def host_lost(room_id: int, at: datetime) -> bool:
    """The host has been away since `at`. True when that was news."""
    with locked(room_id) as room:
        if not room.is_live or room.host_lost_at is not None:
            return False
        room.host_lost_at = at
        room.save(update_fields=["host_lost_at"])
        append_event(room, "host_lost", {"lost_at": iso(at), "ends_at": iso(grace_ends(room))})
    return True


def host_back(room_id: int) -> bool:
    """The host is there again. True when that was news."""
    with locked(room_id) as room:
        if not room.is_live or room.host_lost_at is None:
            return False
        room.host_lost_at = None
        room.save(update_fields=["host_lost_at"])
        append_event(room, "host_back", {})
    return True
