"""Ended rooms with real tracks on the disk and in the database, as `rooms/recording/finishing` leaves them."""

import hashlib
from datetime import timedelta
from pathlib import Path

from django.conf import settings
from django.utils import timezone

from people.models import User
from rooms.models import Recording, RecordingFile, Room, Seat
from rooms.recording.peaks import is_sounding
from tests.transcripts.sounds import RATE, save_opus
from transcripts.speech.audio import Sound


def person(handle: str) -> User:
    return User.objects.create_user(handle, f"{handle}@example.org", display_name=handle.title())


def ended_room(host: User, language: str = "en", minutes: int = 60, transcription: bool = True) -> Recording:
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


def seat(recording: Recording, user: User, place: int) -> Seat:
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


def track(recording: Recording, sat: Seat, sound: Sound, start_ms: int = 0) -> RecordingFile:
    """A track of this sound that begins at `start_ms` of room time."""
    name = f"{recording.room_id}/tracks/{sat.pk}-{start_ms}.opus"
    path = Path(settings.RECORDINGS_DIR) / name
    save_opus(sound, path)
    content = path.read_bytes()
    return RecordingFile.objects.create(
        recording=recording,
        kind=RecordingFile.Kind.TRACK,
        seat=sat,
        path=name,
        start_ms=start_ms,
        duration_ms=len(sound) * 1000 // RATE,
        size=len(content),
        sha256=hashlib.sha256(content).hexdigest(),
        has_sound=is_sounding(path),
    )
