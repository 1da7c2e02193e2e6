"""What Celery calls. `work` runs on the queue `speech` (`-P solo`), `requeue` and `tell` with the short tasks."""

import os
import socket
import time

from celery import shared_task
from celery.worker import state

from transcripts.jobs import claims, notify, results
from transcripts.models import TrackPlan, TranscriptionWindow

TURN_SECONDS = 300  # then the worker takes its next message: nothing else on the queue waits for hours


@shared_task(name="transcripts.jobs.run")
def work() -> None:
    """Work off what is free. The message carries nothing: lost or doubled, it does no harm."""
    from transcripts.jobs.run import work_off  # torch with it: half a gigabyte that only this process needs

    ends = time.monotonic() + TURN_SECONDS

    def over() -> bool:
        return time.monotonic() > ends or state.should_stop is not None or state.should_terminate is not None

    work_off(f"{socket.gethostname()}:{os.getpid()}", over)
    if time.monotonic() > ends and anything_free():
        work.delay()


@shared_task(name="transcripts.requeue")
def requeue() -> None:
    """Wake a worker up for what a killed one left; give up what failed too often; tell hosts who were not told yet."""
    results.expire()
    notify.tell_hosts()
    if anything_free():
        work.apply_async(expires=25)


@shared_task(name="transcripts.tell")
def tell() -> None:
    """Mail hosts whose transcripts are finished."""
    notify.tell_hosts()


def anything_free() -> bool:
    return claims.free(TrackPlan).exists() or claims.free(TranscriptionWindow).exists()
