"""Claims on pieces of work, with a lease, a heartbeat and a fencing token.

The queue only wakes workers up; the work that there is stands here, in PostgreSQL, and by PostgreSQL's clock. A worker
claims the next free piece (`SKIP LOCKED`), renews its lease while it works, and every write of a result names the claim
it was made under. A worker that lost its lease finds no row to write to, and stops.
"""

from __future__ import annotations

import time
from datetime import timedelta
from typing import TypeVar

from django.conf import settings
from django.db import transaction
from django.db.models import Q, QuerySet
from django.db.models.functions import Now

from transcripts.models import Piece, TrackPlan, Transcript, TranscriptionWindow

MAX_ATTEMPTS = 3


P = TypeVar("P", TrackPlan, TranscriptionWindow)


class LeaseLost(Exception):
    """Another worker has this piece now, or it is gone: stop, and write nothing."""


def lease() -> timedelta:
    return timedelta(seconds=settings.SPEECH_LEASE_SECONDS)


def free(kind: type[P]) -> QuerySet[P]:
    """Pieces nobody works on: never begun, failed a while ago, or their worker let the lease run out."""
    waiting = Q(state=Piece.State.WAITING) & (Q(next_at=None) | Q(next_at__lte=Now()))
    nobodys = waiting | Q(state=Piece.State.RUNNING, lease_until__lt=Now())
    return kind._default_manager.filter(nobodys, attempts__lt=MAX_ATTEMPTS)


def claim(kind: type[P], worker: str) -> P | None:
    """Take the next free piece, first tries first; nothing when there is none."""
    with transaction.atomic():
        found = free(kind).select_for_update(skip_locked=True).order_by("attempts", "id").first()
        if found is None:
            return None
        found.token += 1
        found.attempts += 1
        found.state, found.worker, found.error = Piece.State.RUNNING, worker, ""
        found.lease_until = Now() + lease()
        found.save(update_fields=["token", "attempts", "state", "worker", "error", "lease_until"])
    waiting = Transcript.objects.filter(pk=transcript_of(found), state=Transcript.State.WAITING)
    waiting.update(state=Transcript.State.RUNNING, started_at=Now())
    return found


def transcript_of(piece: TrackPlan | TranscriptionWindow) -> int:
    return piece.transcript_id if isinstance(piece, TrackPlan) else piece.plan.transcript_id


def lock_transcript(piece: TrackPlan | TranscriptionWindow) -> None:
    """Lock the transcript, always before its pieces: the one order in which nobody waits for each other."""
    if not Transcript.objects.select_for_update().filter(pk=transcript_of(piece)).exists():
        raise LeaseLost(f"{piece._meta.model_name} {piece.pk} is gone")


def write(piece: TrackPlan | TranscriptionWindow, **values: object) -> None:
    """Change a piece if this claim still holds; the only way a worker writes. Raises LeaseLost."""
    mine = type(piece)._default_manager.filter(pk=piece.pk, token=piece.token, state=Piece.State.RUNNING)
    if not mine.update(**values):
        raise LeaseLost(f"{piece._meta.model_name} {piece.pk}, claim {piece.token}")


class Heartbeat:
    """Renews the lease while the engine works, four times a lease. Call it as often as you like."""

    def __init__(self, piece: TrackPlan | TranscriptionWindow) -> None:
        self.piece = piece
        self.every = settings.SPEECH_LEASE_SECONDS / 4
        self.last = time.monotonic()

    def __call__(self) -> None:
        if time.monotonic() - self.last >= self.every:
            write(self.piece, lease_until=Now() + lease())
            self.last = time.monotonic()
