"""Action: have a range of a room transcribed as case material, where transcription was off or the room is live."""

from __future__ import annotations

from datetime import timedelta

from django.db import transaction
from django.utils import timezone

from ledger.actions import record
from people.models import User
from rooms.actions.locking import locked
from rooms.models import Room
from transcripts.models import RangeState, RangeTranscript, Transcript
from transcripts.queries import off_cues
from transcripts.refusals import TranscriptRefused

# Time after which sound is surely on the disk: tracks go through memory, a second at a time.
SETTLES = timedelta(seconds=3)


def ask_for_range(room: Room, from_ms: int, to_ms: int, by: User) -> RangeTranscript:
    """Ask for a range (ms of room time, cut off at the end or now), or get the one that covers it already.

    One that failed is tried again. The caller has checked that `by` may see the case. Refuses with bad_range,
    not_heard_yet, copy_gone, has_transcript; raises RoomRefused("unknown_room").
    """
    if from_ms < 0 or to_ms <= from_ms or to_ms - from_ms > RangeTranscript.LONGEST_MS:
        raise TranscriptRefused("bad_range")
    with locked(room.pk) as held:
        to_ms = min(to_ms, held.room_time(held.ended_at))
        _check_copy(held, from_ms, to_ms)
        covering = RangeTranscript.objects.filter(room=held, from_ms__lte=from_ms, to_ms__gte=to_ms)
        known = covering.exclude(state=RangeState.FAILED).order_by("pk").first()
        if known is not None:
            return known
        asked = _waiting_range(held, from_ms, to_ms, by)
        _wake_on_commit()
        data = {"range": asked.pk, "from_ms": from_ms, "to_ms": to_ms}
        record("range_transcribed", f"room:{held.pk}", by.pk, data)
    return asked


def _check_copy(room: Room, from_ms: int, to_ms: int) -> None:
    if room.purged_at is not None:
        raise TranscriptRefused("copy_gone")
    if room.started_at is None or to_ms <= from_ms:
        raise TranscriptRefused("not_heard_yet")
    written = Transcript.objects.filter(room=room, state=Transcript.State.READY)
    if written.exists() and not off_cues(room, from_ms, to_ms).exists():
        raise TranscriptRefused("has_transcript")


def _waiting_range(room: Room, from_ms: int, to_ms: int, by: User) -> RangeTranscript:
    """Make the row, or begin anew with one that failed."""
    now = timezone.now()
    settled = (room.started_at or now) + timedelta(milliseconds=to_ms) + SETTLES
    values = {
        "state": RangeState.WAITING,
        "asked_at": now,
        "asked_by": by,
        "attempts": 0,
        "error": "",
        "next_at": settled if settled > now else None,
    }
    row, _new = RangeTranscript.objects.update_or_create(room=room, from_ms=from_ms, to_ms=to_ms, defaults=values)
    return row


def _wake_on_commit() -> None:
    """Wake a worker after the commit, and again when the newest sound is on the disk; if the queue is down, the next
    `requeue` does it."""
    from transcripts.tasks import work

    transaction.on_commit(lambda: work.delay(), robust=True)
    transaction.on_commit(lambda: work.apply_async(countdown=SETTLES.total_seconds() + 1), robust=True)
