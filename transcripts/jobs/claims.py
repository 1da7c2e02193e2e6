"""Claims on work items, with a lease, a heartbeat and a fencing token.

Celery messages only wake workers; the items are rows in PostgreSQL, and leases go by PostgreSQL's clock. A worker
claims the next free item (`SKIP LOCKED`), renews its lease while it works, and writes results only where the row still
has the token of its claim. A worker that lost its lease gets LeaseLost, and stops.
"""

from __future__ import annotations

import time
from datetime import datetime, timedelta
from typing import TypeVar

from django.conf import settings
from django.db import transaction
from django.db.models import Q, QuerySet
from django.db.models.functions import Now

from transcripts.models import RangeTranscript, TrackPlan, Transcript, TranscriptionWindow, WorkItem

MAX_ATTEMPTS = 3


P = TypeVar("P", TrackPlan, TranscriptionWindow, RangeTranscript)

Item = TrackPlan | TranscriptionWindow | RangeTranscript


class LeaseLost(Exception):
    """The item was claimed by another worker or deleted: stop, and write nothing."""


def lease() -> timedelta:
    return timedelta(seconds=settings.SPEECH_LEASE_SECONDS)


def claimable(kind: type[P]) -> QuerySet[P]:
    """Select items to claim: waiting and past their retry time, or running with an expired lease."""
    waiting = Q(state=WorkItem.State.WAITING) & (Q(next_at=None) | Q(next_at__lte=Now()))
    claimable_now = waiting | Q(state=WorkItem.State.RUNNING, lease_until__lt=Now())
    return kind._default_manager.filter(claimable_now, attempts__lt=MAX_ATTEMPTS)


def claim(kind: type[P], worker: str, asked_before: datetime | None = None) -> P | None:
    """Claim the next free item, those with the fewest attempts first; None when there is none. With `asked_before` only
    of transcripts that were asked for before then."""
    free = claimable(kind)
    if asked_before is not None:
        path = "transcript" if kind is TrackPlan else "plan__transcript"
        free = free.filter(**{f"{path}__created_at__lt": asked_before})
    with transaction.atomic():
        item = free.select_for_update(of=("self",), skip_locked=True).order_by("attempts", "id").first()
        if item is None:
            return None
        item.token += 1
        item.attempts += 1
        item.state, item.worker, item.error = WorkItem.State.RUNNING, worker, ""
        item.lease_until = Now() + lease()
        item.save(update_fields=["token", "attempts", "state", "worker", "error", "lease_until"])
    if not isinstance(item, RangeTranscript):
        waiting = Transcript.objects.filter(pk=transcript_of(item), state=Transcript.State.WAITING)
        waiting.update(state=Transcript.State.RUNNING, started_at=Now())
    return item


def transcript_of(item: TrackPlan | TranscriptionWindow) -> int:
    return item.transcript_id if isinstance(item, TrackPlan) else item.plan.transcript_id


def lock_transcript(item: TrackPlan | TranscriptionWindow) -> None:
    """Lock the transcript's row, always before rows of its items: one order avoids deadlocks. Raises LeaseLost."""
    if not Transcript.objects.select_for_update().filter(pk=transcript_of(item)).exists():
        raise LeaseLost(f"{item._meta.model_name} {item.pk} is gone")


def write_if_held(item: Item, **values: object) -> None:
    """Update an item if it still has the token of this claim; the only way a worker writes. Raises LeaseLost."""
    mine = type(item)._default_manager.filter(pk=item.pk, token=item.token, state=WorkItem.State.RUNNING)
    if not mine.update(**values):
        raise LeaseLost(f"{item._meta.model_name} {item.pk}, claim {item.token}")


class Heartbeat:
    """Renew an item's lease while its worker runs: call it often, it writes four times per lease. Raises LeaseLost."""

    def __init__(self, item: Item) -> None:
        self.item = item
        self.every = settings.SPEECH_LEASE_SECONDS / 4
        self.last = time.monotonic()

    def __call__(self) -> None:
        if time.monotonic() - self.last >= self.every:
            write_if_held(self.item, lease_until=Now() + lease())
            self.last = time.monotonic()
