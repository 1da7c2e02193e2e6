"""Ended rooms with sound: tracks and mix as the recorder leaves them, transcripts as Whisper would give them."""

from __future__ import annotations

import hashlib
import subprocess
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from functools import cache
from pathlib import Path
from unittest import mock

from django.conf import settings
from django.utils import timezone

from people.models import User
from rooms import actions
from rooms.models import Recording, RecordingFile, Room, Seat
from rooms.recording import peaks, store
from rooms.recording.peaks import is_sounding
from tests.support.rooms import open_room, seated
from tests.support.sounds import RATE, Laid, laid, length_ms, save_opus
from tests.support.speech import file_ms
from transcripts.models import Cue, TrackPlan, Transcript, TranscriptionWindow
from transcripts.speech.audio import Sound as Samples

TOTAL_MS = 50_000
# Who says which clip when (milliseconds of room time); Bob falls into Ada's words.
TALK: dict[str, Laid] = {
    "host": [(1_000, "0870"), (30_000, "0920")],
    "ada": [(10_000, "0880"), (40_000, "0930")],
    "bob": [(11_000, "0890")],
}


def talked_room(*, transcription: bool = True, host: str = "host", **values: object) -> Room:
    """A room of 50 seconds with a host and two speakers; its recording is ready and drawn."""
    room = open_room(host, transcription=transcription, **values)
    hosting = room.host
    actions.record_consent(hosting, room, settings.CONSENT_VERSION)
    if not Seat.objects.filter(room=room, user=hosting, left_at=None).exists():
        actions.take_seat(room.pk, hosting)
    people = {"host": hosting, "ada": seated("ada", room), "bob": seated("bob", room)}
    actions.end_room(room.pk, hosting)
    now = timezone.now().replace(microsecond=0)
    started = now - timedelta(milliseconds=TOTAL_MS)
    Seat.objects.filter(room=room).update(taken_at=started, left_at=now)
    Room.objects.filter(pk=room.pk).update(started_at=started, ended_at=now)
    room.refresh_from_db()
    finish_with_sound(room, people)
    return room


def finish_with_sound(room: Room, people: dict[str, User]) -> Recording:
    recording, _new = Recording.objects.get_or_create(room=room)
    rows = []
    for handle, user in people.items():
        seat = Seat.objects.filter(room=room, user=user).latest("pk")
        rows.append(file_row(recording, store.track_path(room.pk, seat.pk), track(handle), seat))
    rows.append(file_row(recording, store.mix_path(room.pk), mix()))
    RecordingFile.objects.bulk_create(rows)
    recording.state, recording.finished_at = Recording.State.READY, timezone.now()
    recording.duration_ms = rows[-1].duration_ms
    recording.save()
    if room.transcription:
        transcribe(room, recording)
    else:
        Transcript.objects.create(room=room, language=room.language, state=Transcript.State.OFF)
    with mock.patch.object(peaks, "readable", _decoded):
        assert peaks.prepare(recording)
    return recording


def _decoded(path: Path) -> Iterator[peaks.Samples]:
    """In place of `peaks.readable`: the same blocks, decoded once a run."""
    key = hashlib.sha256(path.read_bytes()).digest()
    if key not in _blocks:
        _blocks[key] = list(peaks.samples(path))
    return iter(_blocks[key])


_blocks: dict[bytes, list[peaks.Samples]] = {}  # by the digest of the file


@dataclass(frozen=True)
class Sound:
    content: bytes
    duration_ms: int


@cache
def track(handle: str) -> Sound:
    """A speaker's track, made once a run."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "track.opus"
        save_opus(laid(TALK[handle], TOTAL_MS), path)
        return Sound(path.read_bytes(), round(file_ms(path)))


@cache
def mix() -> Sound:
    """All of them together, made once a run."""
    with tempfile.TemporaryDirectory() as folder:
        paths = []
        for handle in TALK:
            paths.append(Path(folder) / f"{handle}.opus")
            paths[-1].write_bytes(track(handle).content)
        target = Path(folder) / "mix.m4a"
        inputs = [word for path in paths for word in ("-i", str(path))]
        together = [
            "-filter_complex",
            f"amix=inputs={len(paths)}:normalize=0",
            "-c:a",
            "aac",
            "-movflags",
            "+faststart",
        ]
        subprocess.run(["ffmpeg", "-v", "error", "-y", *inputs, *together, str(target)], check=True)
        return Sound(target.read_bytes(), round(file_ms(target)))


def file_row(recording: Recording, path: Path, sound: Sound, seat: Seat | None = None) -> RecordingFile:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(sound.content)
    return RecordingFile(
        recording=recording,
        kind=RecordingFile.Kind.MIX if seat is None else RecordingFile.Kind.TRACK,
        seat=seat,
        path=store.relative(path),
        start_ms=0,
        duration_ms=sound.duration_ms,
        size=len(sound.content),
        sha256=hashlib.sha256(sound.content).hexdigest(),
        has_sound=None if seat is None else True,
    )


WORDS = {
    "0870": "And Mr. John Dashwood had then leisure to consider how much there might be prudently in his power to do.",
    "0880": "He was not an ill-disposed young man.",
    "0890": "Unless to be rather cold-hearted and rather selfish is to be ill-disposed.",
    "0920": "Had he married a more amiable woman, he might have been made still more respectable than he was.",
    "0930": "He might even have been made amiable himself.",
}


def transcribe(room: Room, recording: Recording) -> Transcript:
    """Lines with the times at which the clips were laid."""
    done = {"state": "ready", "finished_at": timezone.now(), "model": "base", "version": "1"}
    transcript = Transcript.objects.create(room=room, language=room.language, **done)
    for file in recording.files.filter(kind=RecordingFile.Kind.TRACK).select_related("seat__user"):
        assert file.seat is not None
        handle = "host" if file.seat.user_id == room.host_id else file.seat.user.handle
        plan = TrackPlan.objects.create(transcript=transcript, file=file, state="done")
        for position, (at_ms, clip) in enumerate(TALK[handle]):
            end_ms = at_ms + length_ms(clip)
            window = TranscriptionWindow.objects.create(
                plan=plan, position=position, spans=[[at_ms, end_ms]], speech_ms=end_ms - at_ms, state="done"
            )
            Cue.objects.create(
                transcript=transcript,
                window=window,
                position=0,
                seat=file.seat,
                start_ms=at_ms,
                end_ms=end_ms,
                language=room.language,
                text=WORDS[clip],
                model="base",
                version="1",
                confidence=0.9,
            )
    return transcript


# --- recordings without a story, quickly made: the rows and tracks that transcripts start from ------------------------


def ended_recording(host: User, language: str = "en", minutes: int = 60, transcription: bool = True) -> Recording:
    """A room that ended just now, with a recording that has no files yet."""
    now = timezone.now()
    room = Room.objects.create(
        host=host,
        title="Regulars",
        language=language,
        transcription=transcription,
        status=Room.Status.ENDED,
        started_at=now - timedelta(minutes=minutes),
        ended_at=now,
        end_reason=Room.EndReason.HOST,
    )
    return Recording.objects.create(room=room, state=Recording.State.READY, finished_at=now)


def sat_until_the_end(recording: Recording, user: User, place: int) -> Seat:
    """Where somebody sat until the end; place 0 is the host's, 11 and 12 the co-hosts'."""
    role = Seat.Role.HOST if place == 0 else Seat.Role.COHOST if place > 10 else Seat.Role.SPEAKER
    return Seat.objects.create(
        room=recording.room,
        user=user,
        role=role,
        place=place,
        left_at=recording.room.ended_at,
        left_reason=Seat.LeftReason.ROOM_ENDED,
    )


def path_of(file: RecordingFile) -> Path:
    return Path(settings.RECORDINGS_DIR) / file.path


def lay_track(recording: Recording, sat: Seat, sound: Samples, start_ms: int = 0) -> RecordingFile:
    """A track of this sound that begins at `start_ms` of room time."""
    name = f"{recording.room_id}/tracks/{sat.pk}-{start_ms}.opus"
    path = Path(settings.RECORDINGS_DIR) / name
    save_opus(sound, path)
    content = path.read_bytes()
    digest = hashlib.sha256(content).hexdigest()
    if digest not in _sounding:
        _sounding[digest] = is_sounding(path)
    return RecordingFile.objects.create(
        recording=recording,
        kind=RecordingFile.Kind.TRACK,
        seat=sat,
        path=name,
        start_ms=start_ms,
        duration_ms=len(sound) * 1000 // RATE,
        size=len(content),
        sha256=digest,
        has_sound=_sounding[digest],
    )


# By the digest of the file: many tests lay the same track, and it takes a decoder to know.
_sounding: dict[str, bool] = {}
