"""Celery tasks. `work` runs on the queue `speech` (`-P solo`), `requeue` and `tell` with the short tasks."""

import os
import socket
import time

from celery import shared_task
from celery.worker import state

from transcripts.jobs import claims, notify, results
from transcripts.models import RangeTranscript, TrackPlan, TranscriptionWindow

TURN_SECONDS = 300  # then a task claims no further item, so that other messages on the queue need not wait for hours


@shared_task(name="transcripts.jobs.run")
def work() -> None:
    """Process free items. The message has no content: lost or doubled, it does no harm."""
    from transcripts.jobs.run import run_items  # imports torch: half a gigabyte, for this process only

    ends = time.monotonic() + TURN_SECONDS

    def over() -> bool:
        return time.monotonic() > ends or state.should_stop is not None or state.should_terminate is not None

    run_items(f"{socket.gethostname()}:{os.getpid()}", over)
    if time.monotonic() > ends and anything_free():
        work.delay()


@shared_task(name="transcripts.requeue")
def requeue() -> None:
    """Fail items that were tried too often, send due mails, and wake a worker for free items (Celery beat)."""
    results.give_up_expired()
    notify.notify_hosts()
    if anything_free():
        work.apply_async(expires=25)


@shared_task(name="transcripts.tell")
def tell() -> None:
    """Mail hosts whose transcripts are finished."""
    notify.notify_hosts()


def anything_free() -> bool:
    waiting = claims.claimable(TrackPlan).exists() or claims.claimable(TranscriptionWindow).exists()
    return waiting or claims.claimable(RangeTranscript).exists()
