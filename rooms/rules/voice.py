"""Voices in a recording: tracks with sound in them, or what an app above this one knows to have been said.

Sound is measured from the finished track (`peaks.is_sounding`), never taken from what a client said of its microphone.
"""

from __future__ import annotations

from django.db.models import QuerySet

from people.models import User
from rooms.hooks import known_voices
from rooms.models import RecordingFile, Seat


def has_voice(room_pk: int, user_pk: int) -> bool:
    """Whether this person is heard in what was kept of a room. Being taken off the stage does not change that."""
    if not Seat.objects.filter(room=room_pk, user=user_pk).exists():
        return False
    sounding = sounding_tracks(room_pk).filter(seat__user=user_pk).exists()
    return sounding or any(known(room_pk, user_pk) for known in known_voices.values())


def sounding_tracks(room_pk: int) -> QuerySet[RecordingFile]:
    """Tracks of a room with sound in them."""
    tracks = RecordingFile.objects.filter(kind=RecordingFile.Kind.TRACK, seat__room=room_pk)
    # One that is not measured yet counts: those are tracks of before there was this column, until `measure_left`.
    return tracks.exclude(has_sound=False)


def voices_in(room_pk: int) -> list[User]:
    """People who are heard in what was kept of a room, in the order in which they sat down."""
    seats = Seat.objects.filter(room=room_pk).select_related("user").order_by("taken_at", "pk")
    people = {seat.user_id: seat.user for seat in seats}
    sounding = set(sounding_tracks(room_pk).values_list("seat__user_id", flat=True))
    known = known_voices.values()
    return [user for pk, user in people.items() if pk in sounding or any(known_in(room_pk, pk) for known_in in known)]
