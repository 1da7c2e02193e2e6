"""Actions on recordings: pause while the disk is full, retry after a failure, adopt another folder."""

from __future__ import annotations

from uuid import UUID

from django.db import transaction
from django.utils import timezone

from ledger.actions import record
from people.models import User
from rooms.actions.locking import locked
from rooms.models import Recording
from rooms.recording import marker
from rooms.recording.tasks import finish_recording
from rooms.rules.refusals import RoomRefused
from rooms.wire.events import append_event, iso


def set_recording_paused(room_id: int, paused: bool) -> bool:
    """Record and publish that a live room is not recorded from now on, or is again. Returns whether that changed.

    Idempotent; called only by the media supervisor, when the recorder has stopped or runs again.
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


def retry_recording(room_id: int, by: User | None) -> Recording:
    """Finish a failed or waiting recording now. `by` is staff, or None for a management command.

    Raises not_allowed, nothing_failed, unknown_room.
    """
    if by is not None and not by.has_perm("rooms.retry_recording"):
        raise RoomRefused("not_allowed")
    with locked(room_id) as room:
        left = Recording.objects.select_for_update(of=("self",)).filter(room=room, state__in=Recording.OPEN)
        recording = None if room.ended_at is None or room.purged_at is not None else left.first()
        if recording is None:
            raise RoomRefused("nothing_failed")
        before = recording.attempts
        recording.attempts, recording.next_try_at = 0, None
        recording.save(update_fields=["attempts", "next_try_at"])
        # If the queue is away, the periodic `sweep_recordings` starts it.
        transaction.on_commit(lambda: finish_recording.delay(room.pk), robust=True)
        by_pk = None if by is None else by.pk
        record("recording_retried", f"room:{room.pk}", by_pk, {"attempts": before, "state": recording.state})
    return recording


@transaction.atomic
def adopt_folder(why: str) -> UUID:
    """Make RECORDINGS_DIR the folder of all recordings, after they were moved there or lost. The previous folder is
    refused from now on."""
    before = marker.wanted_folder()
    folder = marker.adopt()
    values = {"folder": str(folder), "before": "" if before is None else str(before)}
    record("recordings_adopted", "recordings", None, values, {"why": why})
    return folder
