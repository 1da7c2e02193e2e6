"""What the host is told of a room's retained copy."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.conf import settings

from people.models import User
from rooms import permissions
from rooms.events import iso
from rooms.models import Recording, Room
from rooms.refusals import RoomRefused, refuse


def recording_state(room: Room, user: User) -> dict[str, Any]:
    """State, length, files with their checksums, and until when they are kept. Raises not_host, not_found."""
    refuse(permissions.may_see_recording(is_host=room.host_id == user.pk))
    recording = Recording.objects.filter(room=room).first()
    if recording is None:
        raise RoomRefused("not_found")
    kept_until = None if room.ended_at is None else room.ended_at + timedelta(days=settings.RECORDING_DAYS)
    return {
        "state": recording.state,
        "finished_at": iso(recording.finished_at),
        "duration_ms": recording.duration_ms,
        "kept_until": iso(kept_until),
        "files": [
            {
                "kind": file.kind,
                "user": file.seat.user.handle if file.seat else None,
                "start_ms": file.start_ms,
                "duration_ms": file.duration_ms,
                "size": file.size,
                "sha256": file.sha256,
            }
            for file in recording.files.select_related("seat__user").order_by("kind", "start_ms", "pk")
        ],
    }
