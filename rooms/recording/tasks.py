"""Celery tasks of recordings: finish, draw the waveform, measure tracks, make clips; each with a sweep for missed
ones."""

from __future__ import annotations

import fcntl
import logging
import os
from datetime import datetime, timedelta

from celery import Task, shared_task
from django.db.models import Case, Q, QuerySet, When
from django.utils import timezone

from rooms.models import Recording, RecordingFile, Room
from rooms.recording import marker, store, track_memory
from rooms.recording.clips import making, tidying
from rooms.recording.finishing.space import NoSpace

log = logging.getLogger(__name__)

LEFT_BEHIND = timedelta(seconds=30)  # after which a sweep starts work that no worker did
WAITING = timedelta(minutes=5)  # after which waiting for disk space is reported
DRAWN_WITHIN = timedelta(days=1)  # after which a waveform is not tried again
_AGAIN_IN = 3  # seconds
_TRIES = 40
_MEASURED_AT_ONCE = 50  # recordings


@shared_task(bind=True, max_retries=_TRIES, name="rooms.recording.finishing.finish")
def finish_recording(self: Task, room_pk: int) -> str:
    """Finish an ended room's recording, once the recorder has ended. Idempotent, also concurrently."""
    from rooms.recording.finishing.finish import finish  # it loads the libraries for sound, as what is below does

    room = Room.objects.filter(pk=room_pk, status=Room.Status.ENDED, purged_at=None).first()
    if room is None:
        return "not ended, or purged"
    if not is_our_folder():
        return "not the folder of our recordings: the sweep asks again"
    folder = store.folder(room_pk)
    folder.mkdir(mode=0o750, parents=True, exist_ok=True)
    with (folder / ".finish").open("a") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return "somebody else is at it"
        if still_recording(room_pk):
            raise self.retry(countdown=_AGAIN_IN)
        store.tracks_folder(room_pk).mkdir(mode=0o750, parents=True, exist_ok=True)
        if not track_memory.drain(room_pk):
            raise self.retry(countdown=_AGAIN_IN)
        try:
            return str(finish(room).state)
        except NoSpace:
            return "no room on the disk: the sweep asks again"


def still_recording(room_pk: int) -> bool:
    """Whether a recorder of the room is alive: it holds the lock beside its playlist."""
    try:
        held = os.open(store.hls_folder(room_pk) / ".lock", os.O_RDWR)
    except FileNotFoundError:
        return False
    try:
        fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(held)
    return False


def is_our_folder() -> bool:
    """Whether RECORDINGS_DIR is this installation's folder; if not, report that to operators."""
    try:
        marker.check()
    except marker.OtherFolder as error:
        marker.report(error)
        return False
    return True


@shared_task(name="rooms.recording.sweep")
def sweep_recordings() -> int:
    """Queue unfinished recordings of rooms that ended a while ago: the supervisor or a worker died, or an attempt
    failed and the next is due. Returns how many."""
    now = timezone.now()
    unfinished = Recording.objects.filter(
        Q(next_try_at=None) | Q(next_try_at__lte=now),
        state__in=Recording.OPEN,
        room__status=Room.Status.ENDED,
        room__purged_at=None,
        room__ended_at__lt=now - LEFT_BEHIND,
    )
    # Those with an error (waiting for disk space, or failed) come last, so that they do not delay others.
    waits = Case(When(error="", then=0), default=1)
    left = unfinished.order_by(waits, "attempts", "room__ended_at").values_list("room_id", flat=True)[:50]
    for room_pk in left:
        finish_recording.delay(room_pk)
    return len(left)


def waiting_for_space(now: datetime) -> QuerySet[Recording]:
    """Recordings that have waited for disk space for some minutes; `finish` saves the reason, the sweep tries again."""
    unfinished = Recording.objects.filter(state=Recording.State.FINISHING, room__ended_at__lt=now - WAITING)
    return unfinished.exclude(error="")


@shared_task(name="rooms.recording.prepare")
def prepare_recording(recording_pk: int) -> bool:
    """Draw the waveform of a finished recording. Idempotent, also concurrently. Returns whether it was drawn now."""
    from rooms.recording.peaks import prepare

    recording = Recording.objects.filter(pk=recording_pk).first()
    try:
        return recording is not None and is_our_folder() and prepare(recording)
    except OSError:
        log.exception("recording %s cannot be drawn", recording_pk)
        return False


@shared_task(name="rooms.recording.prepare_left")
def prepare_left() -> int:
    """Queue recordings whose waveform was not drawn because a worker died; for a day only. Returns how many."""
    left = Recording.objects.filter(
        state=Recording.State.READY,
        prepared_at=None,
        finished_at__range=(timezone.now() - DRAWN_WITHIN, timezone.now() - LEFT_BEHIND),
    ).values_list("pk", flat=True)[:50]
    for pk in left:
        prepare_recording.delay(pk)
    return len(left)


@shared_task(name="rooms.recording.measure_left")
def measure_left() -> int:
    """Measure tracks of recordings that were finished before `has_sound` existed. Returns the number of recordings.

    Files that cannot be read now, because a disk is away, are tried again.
    """
    from rooms.recording.peaks import measure

    tracks = RecordingFile.objects.filter(kind=RecordingFile.Kind.TRACK, has_sound=None)
    left = Recording.objects.filter(state=Recording.State.READY, room__purged_at=None, files__in=tracks)
    measured = 0
    if not left.exists() or not is_our_folder():
        return measured
    for recording in left.distinct().order_by("-pk").iterator(chunk_size=100):
        try:
            measured += measure(recording) > 0
        except OSError:
            log.exception("recording %s cannot be measured", recording.pk)
        if measured == _MEASURED_AT_ONCE:
            break
    return measured


@shared_task(name="rooms.recording.make_clip", ignore_result=True)
def make_clip(pk: int) -> None:
    """Make the clip that somebody asked for."""
    making.make(pk)


@shared_task(name="rooms.recording.sweep_clips", ignore_result=True)
def sweep_clips() -> None:
    """Queue the clip that waits longest: its message was lost, its worker died, or its next attempt is due."""
    making.queue_next()


@shared_task(name="rooms.recording.tidy_clips", ignore_result=True)
def tidy_clips() -> None:
    """Delete files of clips that no row names."""
    if is_our_folder():
        tidying.remove_unnamed()
