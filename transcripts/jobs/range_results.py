"""Results of ranges that were transcribed for a case: their lines, or why there are none."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from django.db import transaction
from django.db.models.functions import Now
from django.utils import timezone

from core.text import nfc
from rooms.models import Room
from transcripts.jobs.claims import MAX_ATTEMPTS, LeaseLost, write_if_held
from transcripts.models import RangeCue, RangeState, RangeTranscript
from transcripts.speech.stitch import CueDraft

# Wait after the first and the second failure. Shorter than for windows: a moderator looks at the page.
WAITS = (timedelta(seconds=10), timedelta(minutes=1))


@dataclass(frozen=True, slots=True)
class SpeakerDraft:
    """A line and the primary key of its speaker."""

    speaker_pk: int
    line: CueDraft


def save_range(item: RangeTranscript, drafts: Sequence[SpeakerDraft], error: str = "") -> None:
    """Store the lines of a range and mark it as ready; `error` says what could not be read. Raises LeaseLost, also
    where the room's copy is being purged: nothing is written behind the purge's back."""
    with transaction.atomic():
        room = Room.objects.select_for_update(no_key=True).get(pk=item.room_id)
        if room.purged_at is not None:
            raise LeaseLost(f"the copy of room {room.pk} is purged")
        write_if_held(item, state=RangeState.READY, lease_until=None, ready_at=timezone.now(), error=error[:200])
        item.cues.all().delete()
        ordered = sorted(drafts, key=lambda draft: draft.line.start_ms)
        RangeCue.objects.bulk_create(_cue(item, draft) for draft in ordered if draft.line.text)


def _cue(item: RangeTranscript, draft: SpeakerDraft) -> RangeCue:
    start_ms = max(0, draft.line.start_ms)
    return RangeCue(
        range=item,
        speaker_id=draft.speaker_pk,
        start_ms=start_ms,
        end_ms=max(start_ms + 1, draft.line.end_ms),
        text=nfc(draft.line.text),
        confidence=round(draft.line.confidence, 3),
    )


def record_failure(item: RangeTranscript, error: str) -> None:
    """Record a failed attempt: schedule the next one or, after the last, mark the range as failed. Raises LeaseLost."""
    if item.attempts < MAX_ATTEMPTS:
        next_at = Now() + WAITS[min(item.attempts, len(WAITS)) - 1]
        write_if_held(item, state=RangeState.WAITING, lease_until=None, error=error, next_at=next_at)
    else:
        write_if_held(item, state=RangeState.FAILED, lease_until=None, error=error)


def record_trouble(trouble: str) -> None:
    """Record on all waiting ranges why none can be transcribed."""
    RangeTranscript.objects.filter(state=RangeState.WAITING).update(error=trouble[:200])
