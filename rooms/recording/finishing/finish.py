"""Finish a recording after the end of its room: one file of the mix and one of each track, in room time, with silence
where sound is missing.

Idempotent: everything is made from the files of the recorder and Janus, under a temporary name first, and rows are
written once all files exist. Running it again makes the same files again.
"""

from __future__ import annotations

import logging
import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from django.db import DatabaseError, transaction
from django.db.models import Case, F, Value, When
from django.utils import timezone

from rooms.hooks import recording_ready
from rooms.models import Recording, RecordingFile, Room, RoomEvent, Seat
from rooms.recording import marker, peaks, store
from rooms.recording.finishing import mixes, pieces, space, tracks
from rooms.recording.finishing.space import NoSpace
from rooms.recording.hls import playlists
from rooms.recording.sums import checksums

log = logging.getLogger(__name__)

_STEP_TIMEOUT = 3600.0  # seconds
RETRY_DELAYS = (
    *(timedelta(minutes=1), timedelta(minutes=5), timedelta(minutes=30)),
    *(timedelta(hours=2), timedelta(hours=12), timedelta(days=1)),
)


class CannotFinish(RuntimeError):
    """A file could not be made; the text names the program and the reason."""


@dataclass(frozen=True)
class JoinedTrack:
    """The joined track of a seat, in room time."""

    path: Path
    start_ms: float
    duration_ms: float


@dataclass(frozen=True)
class FinishedFile:
    """A finished file, in room time; `seat_pk` is None for the mix."""

    kind: str
    path: Path
    start_ms: int
    duration_ms: int
    seat_pk: int | None = None


def retry_delay(attempts: int) -> timedelta:
    """Delay of the next attempt after so many: longer each time, up to a day."""
    return RETRY_DELAYS[min(attempts, len(RETRY_DELAYS)) - 1]


def finish(room: Room) -> Recording:
    """Make all files of an ended room and write their rows; the recording becomes READY, or FAILED with a reason.

    Raises OtherFolder, and changes nothing, where RECORDINGS_DIR is not this installation's. Raises NoSpace while the
    disk is too full; the recording stays FINISHING. Raises any error it failed with; `sweep_recordings` tries again
    after `next_try_at`.
    """
    recording, _new = Recording.objects.get_or_create(room=room)
    if recording.state not in Recording.OPEN:
        return recording
    marker.check()
    if not _claim(recording):
        return Recording.objects.get(pk=recording.pk)
    for left in _folder(room).glob(".finish-*"):  # of a worker that was killed
        shutil.rmtree(left, ignore_errors=True)
    began = False
    try:
        space.check_enough(_folder(room))
        began = True
        with tempfile.TemporaryDirectory(dir=_folder(room), prefix=".finish-") as scratch:
            mix, missing_ms = _mix(room, Path(scratch))
            made = [*mix, *_tracks(room, Path(scratch))]
            space.check()
        return write_rows(recording, made, missing_ms)
    except DatabaseError:  # not the fault of this recording: the claim's `next_try_at` applies
        raise
    except Exception as error:
        _record_failure(recording, error, began)
        if space.is_full(error):
            raise NoSpace(str(error)) from error
        raise


def _claim(recording: Recording) -> bool:
    """Begin an attempt, unless the recording became ready or was purged since it was read. Returns whether it began.

    The time of the next attempt is written now, so that one that kills its worker does not come first again."""
    claimed = Recording.objects.filter(pk=recording.pk, state__in=Recording.OPEN).update(
        state=Recording.State.FINISHING,
        error=Case(When(state=Recording.State.FAILED, then=Value("")), default=F("error")),
        attempts=F("attempts") + 1,
        next_try_at=timezone.now() + retry_delay(recording.attempts + 1),
    )
    return claimed > 0


def _record_failure(recording: Recording, error: Exception, began: bool) -> None:
    """Save why an attempt failed. One that could not begin for want of space does not count as an attempt. Does nothing
    to a recording that was purged meanwhile."""
    mine = Recording.objects.filter(pk=recording.pk, state=Recording.State.FINISHING)
    why = f"{type(error).__name__}: {error}".replace("\0", "")[:200]
    if not space.is_full(error):
        log.error("recording of room %s could not be finished", recording.room_id, exc_info=error)
        mine.update(state=Recording.State.FAILED, error=why)
        return
    log.warning("recording of room %s waits to be finished: %s", recording.room_id, error)
    again = {} if began else {"attempts": recording.attempts, "next_try_at": None}
    mine.update(error=why, **again)


def _folder(room: Room) -> Path:
    folder = store.folder(room.pk)
    folder.mkdir(mode=0o750, parents=True, exist_ok=True)
    return folder


def write_rows(recording: Recording, made: Sequence[FinishedFile], missing_ms: int = 0) -> Recording:
    """Write the rows of finished files, and make the recording ready, unless it is ready or purged by now."""
    rows = [_row(recording, one) for one in made]
    mix_ms = max((one.start_ms + one.duration_ms for one in made if one.kind == RecordingFile.Kind.MIX), default=0)
    with transaction.atomic():
        locked = Recording.objects.select_for_update().get(pk=recording.pk)
        if locked.state not in Recording.OPEN:
            return locked
        locked.files.all().delete()
        RecordingFile.objects.bulk_create(rows)
        locked.state = Recording.State.READY
        locked.finished_at = timezone.now()
        locked.duration_ms, locked.missing_ms = mix_ms, missing_ms
        locked.error, locked.next_try_at = "", None
        locked.save()
        recording_ready.send(Recording, recording=locked)
    return locked


def _row(recording: Recording, one: FinishedFile) -> RecordingFile:
    sums = checksums(one.path)
    return RecordingFile(
        recording=recording,
        kind=one.kind,
        seat_id=one.seat_pk,
        path=store.relative(one.path),
        start_ms=one.start_ms,
        duration_ms=one.duration_ms,
        size=sums.size,
        sha256=sums.sha256,
        crc32=sums.crc32,
        has_sound=peaks.is_sounding(one.path) if one.kind == RecordingFile.Kind.TRACK else None,
    )


# --- the mix --------------------------------------------------------------------------------------------------------


def _mix(room: Room, scratch: Path) -> tuple[list[FinishedFile], int]:
    """Make one m4a from room time 0 to the room's end. Returns it, and how many milliseconds of sound are missing.

    Packets are copied, not encoded again; gaps are filled with silence."""
    lasted_ms = room.room_time(room.ended_at)
    parts = []
    for number, stretch in enumerate(_stretches(room.pk)):
        whole = scratch / f"part-{number}.mp4"
        _gather(store.hls_folder(room.pk), stretch, whole)
        parts.append((whole, room_ms(room, stretch.at)))
    heard_ms = lasted_ms - _heard_from(room, parts[0][1] if parts else None)
    if not parts:
        return [], round(heard_ms)
    silence = scratch / "silence.m4a"
    _ffmpeg("-f", "lavfi", "-i", "anullsrc=r=48000:cl=mono", "-t", "1", "-c:a", "aac", "-b:a", "64k", str(silence))
    target = scratch / "mix.m4a"
    joined = mixes.join(parts, silence, target, lasted_ms)
    space.check()
    shutil.move(target, store.mix_path(room.pk))
    made = FinishedFile(RecordingFile.Kind.MIX, store.mix_path(room.pk), 0, round(joined.duration_ms))
    return [made], max(0, round(heard_ms - joined.sound_ms))


def _heard_from(room: Room, first_ms: float | None) -> float:
    """Room time (ms) from which sound can be missing: when recording began or was paused first; where nothing was
    recorded at all, also when a microphone was first opened. `first_ms` is the start of the first recorded part."""
    log_of_room = RoomEvent.objects.filter(room=room).order_by("seq")
    at_ms = [room.room_time(room.ended_at) if first_ms is None else first_ms]
    if paused := log_of_room.filter(type="recording_paused").first():
        at_ms.append(paused.at_ms)
    if first_ms is None and (opened := log_of_room.filter(type="seat_muted", data__muted=False).first()):
        at_ms.append(opened.at_ms)
    return max(0.0, min(at_ms))


def room_ms(room: Room, at: datetime) -> float:
    """A time as room time, in milliseconds."""
    return (at - room.started_at).total_seconds() * 1000 if room.started_at else 0.0


def _stretches(room_pk: int) -> list[pieces.Stretch]:
    """All recorded stretches of a room, in playlists or not, oldest first."""
    folder = store.hls_folder(room_pk)
    listed: dict[int, list[playlists.Segment]] = {}
    for segment in playlists.parse(store.playlist_texts(room_pk)):
        listed.setdefault(segment.run, []).append(segment)
    runs = sorted({*listed, *pieces.runs_on_disk(folder)})
    return [stretch for run in runs for stretch in pieces.stretches(folder, run, listed.get(run, []))]


def _gather(folder: Path, stretch: pieces.Stretch, target: Path) -> None:
    """Concatenate the files of a stretch."""
    with target.open("wb") as file:
        for path in (folder / playlists.init_name(stretch.run), *stretch.paths):
            with path.open("rb") as part:
                shutil.copyfileobj(part, file)


# --- tracks ---------------------------------------------------------------------------------------------------------


def _tracks(room: Room, scratch: Path) -> list[FinishedFile]:
    """Make one Opus file for each seat that sent sound, from its first sound on."""
    if room.started_at is None:
        return []
    made = []
    for seat_pk, raws in sorted(tracks.raw_tracks(store.tracks_folder(room.pk)).items()):
        if not Seat.objects.filter(pk=seat_pk, room=room).exists():
            continue
        if (track := _track(room.started_at, seat_pk, raws, scratch)) is not None:
            target = store.track_path(room.pk, seat_pk)
            shutil.move(track.path, target)
            made.append(
                FinishedFile(RecordingFile.Kind.TRACK, target, round(track.start_ms), round(track.duration_ms), seat_pk)
            )
    return made


def _track(started_at: datetime, seat_pk: int, raws: Sequence[tracks.RawTrack], scratch: Path) -> JoinedTrack | None:
    """Join the raw tracks of a seat, with silence between; None where none has sound."""
    parts = []
    for number, raw in enumerate(raws):
        opus = scratch / f"seat-{seat_pk}-{number}.opus"
        unpacked = tracks.unpack(tracks.drop_broken_frames(raw.path, scratch / f"seat-{seat_pk}-{number}.mjr"), opus)
        space.check()
        if unpacked:
            begins = datetime.fromtimestamp(raw.first_us / 1_000_000, UTC)
            parts.append((opus, (begins - started_at).total_seconds() * 1000))
    if not parts:
        return None
    target = scratch / f"seat-{seat_pk}.opus"
    first_ms = max(0.0, parts[0][1])
    duration_ms = tracks.join([(path, start - first_ms) for path, start in parts], target)
    return JoinedTrack(target, first_ms, duration_ms)


# --- tools ----------------------------------------------------------------------------------------------------------


def _ffmpeg(*words: str) -> None:
    command = ["ffmpeg", "-hide_banner", "-nostdin", "-loglevel", "error", "-y", *words]
    done = subprocess.run(command, capture_output=True, text=True, timeout=_STEP_TIMEOUT, check=False)
    if done.returncode != 0:
        space.check()
        raise CannotFinish(f"ffmpeg: {done.stderr.strip()[-150:]}")
