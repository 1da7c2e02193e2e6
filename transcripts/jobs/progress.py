"""Progress of transcripts, out of the measured speed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import ceil
from typing import Any

from django.db.models import Count, Q, Sum

from transcripts.models import Piece, TrackPlan, Transcript, TranscriptionWindow


@dataclass(frozen=True, slots=True)
class TranscriptProgress:
    """How far a transcript is. `minutes_left` is unknown until something has been measured."""

    percent: int
    minutes_left: int | None
    gaps: int


def progress(transcript: Transcript) -> TranscriptProgress:
    """Out of the measured speed of this very transcript, with as many workers as are at it now."""
    return progress_of([transcript])[transcript.pk]


def progress_of(transcripts: Sequence[Transcript]) -> dict[int, TranscriptProgress]:
    """The same for many, by their keys: two queries, however many."""
    keys = [transcript.pk for transcript in transcripts]
    measured = (
        TranscriptionWindow.objects.filter(plan__transcript__in=keys)
        .values("plan__transcript")
        .annotate(
            measured=Sum("speech_ms", filter=Q(state=Piece.State.DONE), default=0),
            failed=Count("pk", filter=Q(state=Piece.State.FAILED)),
            running=Count("pk", filter=Q(state=Piece.State.RUNNING)),
        )
    )
    windows = {row["plan__transcript"]: row for row in measured}
    looking = TrackPlan.objects.filter(transcript__in=keys, state__in=[Piece.State.WAITING, Piece.State.RUNNING])
    unplanned = set(looking.values_list("transcript", flat=True))
    nothing = {"measured": 0, "failed": 0, "running": 0}
    return {
        transcript.pk: _progress(transcript, windows.get(transcript.pk, nothing), transcript.pk not in unplanned)
        for transcript in transcripts
    }


def _progress(transcript: Transcript, windows: Mapping[str, Any], planned: bool) -> TranscriptProgress:
    if not transcript.is_open:
        return TranscriptProgress(100 if transcript.finished_at else 0, 0, windows["failed"])
    percent = 100 * transcript.done_ms // transcript.speech_ms if planned and transcript.speech_ms else 0
    minutes = None
    if planned and windows["measured"] and transcript.spent_ms:
        left_ms = (transcript.speech_ms - transcript.done_ms) * transcript.spent_ms / windows["measured"]
        minutes = ceil(left_ms / max(1, windows["running"]) / 60_000)
    return TranscriptProgress(min(99, percent), minutes, windows["failed"])
