"""Recording pauses while there is no room on the disk, and goes on when there is: everybody in the room is told."""

from __future__ import annotations

from django.utils import timezone

from rooms.actions.locking import locked
from rooms.events import append_event, iso


def set_recording_paused(room_id: int, paused: bool) -> bool:
    """What is said in a live room is not kept from now on, or is again. True when that was news.

    Called by the media supervisor alone, as often as it likes, when the recorder has stopped or was started again.
    """
    with locked(room_id) as room:
        if not room.is_live or paused == (room.recording_paused_at is not None):
            return False
        room.recording_paused_at = timezone.now() if paused else None
        room.save(update_fields=["recording_paused_at"])
        if paused:
            append_event(room, "recording_paused", {"paused_at": iso(room.recording_paused_at), "reason": "disk_full"})
        else:
            append_event(room, "recording_resumed", {})
    return True
