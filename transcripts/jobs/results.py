"""Results of pieces of work: windows of a track, cues of a window, gaps where every attempt failed."""

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
from transcripts.jobs.claims import MAX_ATTEMPTS, LeaseLost, lock_transcript, transcript_of, write
from transcripts.models import Cue, Piece, TrackPlan, Transcript, TranscriptionWindow
from transcripts.speech.stitch import Line
from transcripts.speech.windows import Span, Window, speech_ms

log = logging.getLogger(__name__)

# After the first failure, and after the second: a disk or a memory that was full has had time by then.
WAITS = (timedelta(minutes=1), timedelta(minutes=10))
# A stretch of this length or more in which Whisper found no word is shown as unclear; coughs are shorter.
UNCLEAR_MS = 2000


def save_plan(plan: TrackPlan, windows: Sequence[Window]) -> None:
    """A track has been looked through: these are its windows."""
    with transaction.atomic():
        lock_transcript(plan)
        write(plan, state=Piece.State.DONE, lease_until=None)
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
        settle(plan.transcript_id)


@dataclass(frozen=True, slots=True)
class EngineVersion:
    """Which engine wrote something."""

    model: str
    version: str


def save_window(window: TranscriptionWindow, found: Sequence[Line], by: EngineVersion, spent_ms: int) -> None:
    """A window's lines become its cues; stretches in which nothing was understood are marked."""
    offset = window.plan.file.start_ms
    unclear = [
        span
        for span in spans_of(window)
        if span.length_ms >= UNCLEAR_MS
        and not any(line.start_ms < span.end_ms + offset and line.end_ms > span.start_ms + offset for line in found)
    ]
    with transaction.atomic():
        lock_transcript(window)
        write(window, state=Piece.State.DONE, lease_until=None, spent_ms=spent_ms)
        window.cues.all().delete()
        cues = [_cue(window, by, line) for line in found]
        cues += [_gap(window, by, span, Cue.Kind.UNCLEAR) for span in unclear]
        _save_cues(cues)
        transcripts = Transcript.objects.filter(pk=window.plan.transcript_id)
        transcripts.update(model=by.model, version=by.version, trouble="")
        settle(window.plan.transcript_id)


def failed(piece: TrackPlan | TranscriptionWindow, error: str) -> None:
    """An attempt went wrong: another one later, or, after the last, a marked gap. Raises LeaseLost."""
    error = error.replace("\0", "")[:200]
    if piece.attempts < MAX_ATTEMPTS:
        next_at = Now() + WAITS[min(piece.attempts, len(WAITS)) - 1]
        write(piece, state=Piece.State.WAITING, lease_until=None, error=error, next_at=next_at)
        return
    with transaction.atomic():
        lock_transcript(piece)
        write(piece, state=Piece.State.FAILED, lease_until=None, error=error)
        _mark_gap(piece)
        settle(transcript_of(piece))


def stuck(trouble: str) -> None:
    """Say why nothing moves. It costs no attempt: the installation is not ready, no piece is bad."""
    Transcript.objects.filter(state__in=Transcript.OPEN).update(trouble=trouble[:300])


def expire() -> int:
    """Give up pieces whose last worker died too: returns how many. Safe to run twice and by two at once."""
    given_up = 0
    stale = Q(state=Piece.State.RUNNING, lease_until__lt=Now(), attempts__gte=MAX_ATTEMPTS)
    for kind in (TrackPlan, TranscriptionWindow):
        for piece in kind._default_manager.filter(stale):
            try:
                failed(piece, piece.error or "the worker died")
            except LeaseLost:
                continue  # its worker was slow, not dead, and has just finished it
            except Exception:
                log.exception("%s %s could not be given up: others are seen to", kind._meta.verbose_name, piece.pk)
                continue
            given_up += 1
    return given_up


def _mark_gap(piece: TrackPlan | TranscriptionWindow) -> None:
    """What could not be transcribed stands in the transcript as a gap. A track nobody could read is one window."""
    if isinstance(piece, TrackPlan):
        piece.windows.all().delete()
        length = max(1, piece.file.duration_ms)
        window = TranscriptionWindow.objects.create(
            plan=piece, position=0, spans=[[0, length]], speech_ms=length, state=Piece.State.FAILED, error=piece.error
        )
    else:
        window = piece
        window.cues.all().delete()
    by = EngineVersion(settings.WHISPER_MODEL, "")
    _save_cues([_gap(window, by, span, Cue.Kind.FAILED) for span in spans_of(window)])


def spans_of(window: TranscriptionWindow) -> Window:
    """The window's stretches, in time of the track's file."""
    return tuple(Span(start, end) for start, end in window.spans)


def _cue(window: TranscriptionWindow, by: EngineVersion, line: Line) -> Cue:
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
    """Store the cues of one window: in order of time, with what all of them share."""
    for position, cue in enumerate(sorted(cues, key=lambda cue: cue.start_ms)):
        plan = cue.window.plan
        cue.position = position
        cue.transcript, cue.language, cue.seat_id = plan.transcript, plan.transcript.language, _seat(plan)
    Cue.objects.bulk_create(cues)


def _seat(plan: TrackPlan) -> int:
    """A track's seat: the database holds that every track has one (file_track_has_seat)."""
    if plan.file.seat_id is None:
        raise ValueError(f"{plan.file.path} is no track")
    return plan.file.seat_id


def settle(transcript_pk: int) -> None:
    """Bring a transcript's progress up to date, and end it when no piece is open. The caller holds its lock."""
    transcript = Transcript.objects.get(pk=transcript_pk)
    over = Q(state__in=[Piece.State.DONE, Piece.State.FAILED])
    windows = TranscriptionWindow.objects.filter(plan__transcript=transcript).aggregate(
        speech=Sum("speech_ms", default=0),
        done=Sum("speech_ms", filter=over, default=0),
        spent=Sum("spent_ms", default=0),
        open=Count("pk", filter=~over),
        good=Count("pk", filter=Q(state=Piece.State.DONE)),
        all=Count("pk"),
    )
    transcript.speech_ms, transcript.done_ms = windows["speech"], windows["done"]
    transcript.spent_ms = windows["spent"]
    if not windows["open"] and not transcript.plans.filter(~over).exists():
        nothing_understood = windows["all"] and not windows["good"]
        transcript.state = Transcript.State.FAILED if nothing_understood else Transcript.State.READY
        transcript.finished_at = timezone.now()
        transaction.on_commit(_wake_telling, robust=True)
    transcript.save(update_fields=["speech_ms", "done_ms", "spent_ms", "state", "finished_at"])


def _wake_telling() -> None:
    """Tell the host soon; if the queue is down, the next `requeue` does it."""
    from transcripts.tasks import tell

    tell.delay()
