"""After the end: one file of the mix and one of each track, in room time, silence where sound is missing.

Idempotent: everything is made from what the recorder and Janus wrote, under a new name first, and rows are written
when all files stand. Running it again makes the same files again.
"""

from __future__ import annotations

import hashlib
import logging
import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from django.db import transaction
from django.utils import timezone

from rooms.models import Recording, RecordingFile, Room, Seat
from rooms.recording import mixes, playlists, store, tracks
from rooms.signals import recording_ready

log = logging.getLogger(__name__)

_ONE_GO = 3600.0  # seconds one step may take


class CannotFinish(RuntimeError):
    """A file could not be made; the text says which and why."""


@dataclass(frozen=True)
class Piece:
    """A sound file that begins at a point of room time."""

    path: Path
    start_ms: float
    duration_ms: float


@dataclass(frozen=True)
class Made:
    """A finished file."""

    kind: str
    path: Path
    start_ms: int
    duration_ms: int
    seat_pk: int | None = None


def finish(room: Room) -> Recording:
    """Make all files of an ended room and write their rows; the recording is READY, or FAILED with a reason."""
    recording, _new = Recording.objects.get_or_create(room=room)
    if recording.state in (Recording.State.READY, Recording.State.PURGED):
        return recording
    Recording.objects.filter(pk=recording.pk).update(state=Recording.State.FINISHING)
    try:
        with tempfile.TemporaryDirectory(dir=_folder(room), prefix=".finish-") as scratch:
            made = [*_mix(room, Path(scratch)), *_tracks(room, Path(scratch))]
    except (CannotFinish, OSError, ValueError, subprocess.SubprocessError) as error:
        log.exception("room %s: its recording could not be finished", room.pk)
        Recording.objects.filter(pk=recording.pk).update(state=Recording.State.FAILED, error=str(error)[:200])
        raise
    return _write_rows(recording, made)


def _folder(room: Room) -> Path:
    folder = store.folder(room.pk)
    folder.mkdir(mode=0o750, parents=True, exist_ok=True)
    return folder


def _write_rows(recording: Recording, made: Sequence[Made]) -> Recording:
    rows = [
        RecordingFile(
            recording=recording,
            kind=one.kind,
            seat_id=one.seat_pk,
            path=store.relative(one.path),
            start_ms=one.start_ms,
            duration_ms=one.duration_ms,
            size=one.path.stat().st_size,
            sha256=checksum(one.path),
        )
        for one in made
    ]
    mix_ms = max((one.start_ms + one.duration_ms for one in made if one.kind == RecordingFile.Kind.MIX), default=0)
    with transaction.atomic():
        locked = Recording.objects.select_for_update().get(pk=recording.pk)
        if locked.state in (Recording.State.READY, Recording.State.PURGED):
            return locked
        locked.files.all().delete()
        RecordingFile.objects.bulk_create(rows)
        locked.state = Recording.State.READY
        locked.finished_at = timezone.now()
        locked.duration_ms = mix_ms
        locked.error = ""
        locked.save()
        recording_ready.send(Recording, recording=locked)
    return locked


def checksum(path: Path) -> str:
    """SHA-256 of a file, in hex."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


# --- the mix --------------------------------------------------------------------------------------------------------


def _mix(room: Room, scratch: Path) -> list[Made]:
    """One m4a that begins at room time 0. Sound is copied, not coded again; gaps are filled with coded silence."""
    segments = playlists.parse(store.playlist_texts(room.pk))
    if not segments or room.started_at is None:
        return []
    parts = []
    for run in playlists.runs(segments):
        whole = scratch / f"run-{run.run}.mp4"
        _gather(room, run, whole)
        parts.append((whole, (run.at - room.started_at).total_seconds() * 1000))
    silence = scratch / "silence.m4a"
    _ffmpeg("-f", "lavfi", "-i", "anullsrc=r=48000:cl=mono", "-t", "1", "-c:a", "aac", "-b:a", "64k", str(silence))
    target = scratch / "mix.m4a"
    duration_ms = mixes.join(parts, silence, target)
    shutil.move(target, store.mix_path(room.pk))
    return [Made(RecordingFile.Kind.MIX, store.mix_path(room.pk), 0, round(duration_ms))]


def _gather(room: Room, run: playlists.Run, target: Path) -> None:
    """What one recorder wrote, as one file."""
    with target.open("wb") as file:
        for name in (playlists.init_name(run.run), *(segment.name for segment in run.segments)):
            with (store.hls_folder(room.pk) / name).open("rb") as part:
                shutil.copyfileobj(part, file)


# --- tracks ---------------------------------------------------------------------------------------------------------


def _tracks(room: Room, scratch: Path) -> list[Made]:
    """One Opus file for each seat that had a microphone, from its first sound on."""
    if room.started_at is None:
        return []
    made = []
    for seat_pk, found in sorted(tracks.found(store.tracks_folder(room.pk)).items()):
        if not Seat.objects.filter(pk=seat_pk, room=room).exists():
            continue
        if (track := _track(room.started_at, seat_pk, found, scratch)) is not None:
            target = store.track_path(room.pk, seat_pk)
            shutil.move(track.path, target)
            made.append(
                Made(RecordingFile.Kind.TRACK, target, round(track.start_ms), round(track.duration_ms), seat_pk)
            )
    return made


def _track(started_at: datetime, seat_pk: int, found: Sequence[tracks.Raw], scratch: Path) -> Piece | None:
    """A seat's connections, one after the other with silence between."""
    parts = []
    for number, raw in enumerate(found):
        opus = scratch / f"seat-{seat_pk}-{number}.opus"
        if _unpack(raw.path, opus):
            begins = datetime.fromtimestamp(raw.first_us / 1_000_000, UTC)
            parts.append((opus, (begins - started_at).total_seconds() * 1000))
    if not parts:
        return None
    target = scratch / f"seat-{seat_pk}.opus"
    first_ms = max(0.0, parts[0][1])
    duration_ms = tracks.join([(path, start - first_ms) for path, start in parts], target)
    return Piece(target, first_ms, duration_ms)


def _unpack(raw: Path, opus: Path) -> bool:
    """Janus' own tool puts packets in order and fills muted time with silence."""
    done = subprocess.run(
        ["janus-pp-rec", str(raw), str(opus)], capture_output=True, text=True, timeout=_ONE_GO, check=False
    )
    if done.returncode != 0 or not opus.exists() or opus.stat().st_size == 0:
        log.warning("%s: no sound in it (%s)", raw.name, done.returncode)
        return False
    return True


# --- tools ----------------------------------------------------------------------------------------------------------


def _ffmpeg(*words: str) -> None:
    command = ["ffmpeg", "-hide_banner", "-nostdin", "-loglevel", "error", "-y", *words]
    done = subprocess.run(command, capture_output=True, text=True, timeout=_ONE_GO, check=False)
    if done.returncode != 0:
        raise CannotFinish(f"ffmpeg: {done.stderr.strip()[-150:]}")
