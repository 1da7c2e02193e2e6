"""Results of work items: windows of a track, cues of a window, gaps where every attempt failed."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from django.conf import settings
from django.db import transaction
from django.db.models import Count, Q, Sum
from django.db.models.functions import Now
from django.utils import timezone

from core.text import nfc
from transcripts.jobs import range_results
from transcripts.jobs.claims import MAX_ATTEMPTS, Item, LeaseLost, lock_transcript, transcript_of, write_if_held
from transcripts.models import Cue, LiveLine, RangeTranscript, TrackPlan, Transcript, TranscriptionWindow, WorkItem
from transcripts.speech.stitch import CueDraft
from transcripts.speech.windows import Span, Window, joined, speech_ms

log = logging.getLogger(__name__)

# Wait after the first and the second failure: time for a full disk or memory to be freed.
WAITS = (timedelta(minutes=1), timedelta(minutes=10))
# Spans of at least this length without a word are shown as unclear; coughs are shorter.
UNCLEAR_MS = 2000
# Stretches without captions that are closer are one gap.
OFF_PAUSE_MS = 10_000


def save_plan(plan: TrackPlan, windows: Sequence[Window], off: Sequence[Span] = ()) -> None:
    """Store the windows of a track and mark its plan as done. Speech without captions (`off`) is one window that is
    done, with a gap for each stretch. Raises LeaseLost."""
    with transaction.atomic():
        lock_transcript(plan)
        write_if_held(plan, state=WorkItem.State.DONE, lease_until=None)
        plan.windows.all().delete()
        TranscriptionWindow.objects.bulk_create(
            TranscriptionWindow(
                plan=plan,
                position=position,
                spans=[[span.start_ms, span.end_ms] for span in window],
                speech_ms=speech_ms(window),
            )
            for position, window in enumerate(windows)
        )
        if off:
            _save_off(plan, len(windows), joined(off, OFF_PAUSE_MS))
        refresh_transcript(plan.transcript_id)


def _save_off(plan: TrackPlan, position: int, stretches: Sequence[Span]) -> None:
    window = TranscriptionWindow.objects.create(
        plan=plan,
        position=position,
        spans=[[span.start_ms, span.end_ms] for span in stretches],
        speech_ms=1,  # nothing was to do: the speed of the rest does not count it
        state=WorkItem.State.DONE,
    )
    by = EngineVersion("", "")
    _save_cues([_gap(window, by, span, Cue.Kind.OFF) for span in stretches])


@dataclass(frozen=True, slots=True)
class EngineVersion:
    """Name and version of the engine that wrote a cue."""

    model: str
    version: str


def save_window(window: TranscriptionWindow, drafts: Sequence[CueDraft], by: EngineVersion, spent_ms: int) -> None:
    """Store a window's cues, and an `unclear` cue for each long span without words. Raises LeaseLost."""
    offset = window.plan.file.start_ms
    unclear = [
        span
        for span in spans_of(window)
        if span.length_ms >= UNCLEAR_MS
        and not any(line.start_ms < span.end_ms + offset and line.end_ms > span.start_ms + offset for line in drafts)
    ]
    with transaction.atomic():
        lock_transcript(window)
        write_if_held(window, state=WorkItem.State.DONE, lease_until=None, spent_ms=spent_ms)
        window.cues.all().delete()
        cues = [_cue(window, by, line) for line in drafts]
        cues += [_gap(window, by, span, Cue.Kind.UNCLEAR) for span in unclear]
        _save_cues(cues)
        transcripts = Transcript.objects.filter(pk=window.plan.transcript_id)
        transcripts.update(model=by.model, version=by.version, trouble="")
        refresh_transcript(window.plan.transcript_id)


def record_failure(item: Item, error: str) -> None:
    """Record a failed attempt: schedule the next one or, after the last, store a gap. Raises LeaseLost."""
    error = error.replace("\0", "")[:200]
    if isinstance(item, RangeTranscript):
        return range_results.record_failure(item, error)
    if item.attempts < MAX_ATTEMPTS:
        next_at = Now() + WAITS[min(item.attempts, len(WAITS)) - 1]
        write_if_held(item, state=WorkItem.State.WAITING, lease_until=None, error=error, next_at=next_at)
        return None
    with transaction.atomic():
        lock_transcript(item)
        write_if_held(item, state=WorkItem.State.FAILED, lease_until=None, error=error)
        _mark_gap(item)
        refresh_transcript(transcript_of(item))
    return None


def record_trouble(trouble: str) -> None:
    """Record on all open transcripts and ranges why none can be processed. Uses up no attempt: no item is at fault."""
    Transcript.objects.filter(state__in=Transcript.OPEN).update(trouble=trouble[:300])
    range_results.record_trouble(trouble)


def give_up_expired() -> int:
    """Fail items whose lease expired on the last attempt; returns how many. Safe to run twice and concurrently."""
    given_up = 0
    stale = Q(state=WorkItem.State.RUNNING, lease_until__lt=Now(), attempts__gte=MAX_ATTEMPTS)
    for kind in (RangeTranscript, TrackPlan, TranscriptionWindow):
        for item in kind._default_manager.filter(stale):
            try:
                record_failure(item, item.error or "the worker died")
            except LeaseLost:
                continue  # its worker was slow, not dead, and has finished it meanwhile
            except Exception:
                log.exception("%s %s could not be marked as failed", kind._meta.verbose_name, item.pk)
                continue
            given_up += 1
    return given_up


def _mark_gap(item: TrackPlan | TranscriptionWindow) -> None:
    """Store `failed` cues for the spans of a failed item. A failed track gets one window of its whole length."""
    if isinstance(item, TrackPlan):
        item.windows.all().delete()
        length = max(1, item.file.duration_ms)
        window = TranscriptionWindow.objects.create(
            plan=item, position=0, spans=[[0, length]], speech_ms=length, state=WorkItem.State.FAILED, error=item.error
        )
    else:
        window = item
        window.cues.all().delete()
    by = EngineVersion(settings.WHISPER_MODEL, "")
    _save_cues([_gap(window, by, span, Cue.Kind.FAILED) for span in spans_of(window)])


def spans_of(window: TranscriptionWindow) -> Window:
    """Return the spans of a window, in ms of the track's file."""
    return tuple(Span(start, end) for start, end in window.spans)


def _cue(window: TranscriptionWindow, by: EngineVersion, line: CueDraft) -> Cue:
    return Cue(
        window=window,
        start_ms=max(0, line.start_ms),
        end_ms=line.end_ms,
        text=nfc(line.text),
        words=[{"w": w.text, "s": w.start_ms, "e": w.end_ms, "p": w.p} for w in line.words],
        confidence=round(line.confidence, 3),
        model=by.model,
        version=by.version,
    )


def _gap(window: TranscriptionWindow, by: EngineVersion, span: Span, kind: Cue.Kind) -> Cue:
    offset = window.plan.file.start_ms
    return Cue(
        window=window,
        kind=kind,
        start_ms=max(0, span.start_ms + offset),
        end_ms=span.end_ms + offset,
        model=by.model,
        version=by.version,
    )


def _save_cues(cues: Sequence[Cue]) -> None:
    """Store the cues of one window in order of time; sets position, transcript, language and seat."""
    for position, cue in enumerate(sorted(cues, key=lambda cue: cue.start_ms)):
        plan = cue.window.plan
        cue.position = position
        cue.transcript, cue.language, cue.seat_id = plan.transcript, plan.transcript.language, _seat(plan)
    Cue.objects.bulk_create(cues)


def _seat(plan: TrackPlan) -> int:
    """Return the key of the track's seat, which a database constraint guarantees (file_track_has_seat)."""
    if plan.file.seat_id is None:
        raise ValueError(f"{plan.file.path} is no track")
    return plan.file.seat_id


def refresh_transcript(transcript_pk: int) -> None:
    """Recompute a transcript's progress, and finish it when no item is open. The caller has its row locked."""
    transcript = Transcript.objects.get(pk=transcript_pk)
    over = Q(state__in=[WorkItem.State.DONE, WorkItem.State.FAILED])
    windows = TranscriptionWindow.objects.filter(plan__transcript=transcript).aggregate(
        speech=Sum("speech_ms", default=0),
        done=Sum("speech_ms", filter=over, default=0),
        spent=Sum("spent_ms", default=0),
        open=Count("pk", filter=~over),
        good=Count("pk", filter=Q(state=WorkItem.State.DONE)),
        all=Count("pk"),
    )
    transcript.speech_ms, transcript.done_ms = windows["speech"], windows["done"]
    transcript.spent_ms = windows["spent"]
    if not windows["open"] and not transcript.plans.filter(~over).exists():
        nothing_understood = windows["all"] and not windows["good"]
        transcript.state = Transcript.State.FAILED if nothing_understood else Transcript.State.READY
        transcript.finished_at = timezone.now()
        if transcript.state == Transcript.State.READY:
            LiveLine.objects.filter(room=transcript.room_id).delete()
        transaction.on_commit(_wake_notify_task, robust=True)
    transcript.save(update_fields=["speech_ms", "done_ms", "spent_ms", "state", "finished_at"])


def _wake_notify_task() -> None:
    """Wake the task that mails the host; if the queue is down, the next `requeue` does it."""
    from transcripts.tasks import tell

    tell.delay()
