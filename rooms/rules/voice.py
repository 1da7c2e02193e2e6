"""Voices in a recording: tracks with sound in them, or what an app above this one knows to have been said.

Sound is measured from the finished track (`peaks.is_sounding`), never taken from what a client said of its microphone.
"""

from __future__ import annotations

from rooms.hooks import known_voices
from rooms.models import RecordingFile, Seat


def has_voice(room_pk: int, user_pk: int) -> bool:
    """Whether this person is heard in what was kept of a room. Being taken off the stage does not change that."""
    if not Seat.objects.filter(room=room_pk, user=user_pk).exists():
        return False
    tracks = RecordingFile.objects.filter(kind=RecordingFile.Kind.TRACK, seat__room=room_pk, seat__user=user_pk)
    # One that is not measured yet counts: those are tracks of before there was this column, until `measure_left`.
    return tracks.exclude(has_sound=False).exists() or any(known(room_pk, user_pk) for known in known_voices.values())
