"""The people whose voices are in a range of a room, and whether one of them refuses: by the server's own tracks, lines
and log, never by what a client says."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import closing
from pathlib import Path

from people.models import User
from rooms.hooks import ClipText
from rooms.models import Clip, Recording, ReplayObjection, Room, Seat
from rooms.recording import store
from rooms.wire.stage_log import open_microphones


def voices_between(room: Room, from_ms: int, to_ms: int, said: ClipText | None) -> list[User]:
    """People who are heard in a range, in the order in which they sat down.

    Of a finished recording: whose track has sound there, or who has a line there. Before that: whose microphone was
    open, for what was said last is in no track yet.
    """
    from rooms.recording.range_tracks import track_parts  # it loads a library for sound

    pks = {line.user_pk for line in said.lines} if said is not None else set()
    if Recording.objects.filter(room=room, state=Recording.State.READY).exists():
        for part in track_parts(room, from_ms, to_ms, store.clips_folder(room.pk)):  # nothing has to be unpacked
            if part.user_pk not in pks and _is_heard(part.path, from_ms - part.start_ms, to_ms - from_ms):
                pks.add(part.user_pk)
    else:
        spoken = open_microphones(room, to_ms).items()
        pks |= {pk for pk, spans in spoken if any(end > from_ms for _start, end in spans)}
    seats = Seat.objects.filter(room=room, user__in=pks).select_related("user").order_by("taken_at", "pk")
    return list({seat.user_id: seat.user for seat in seats}.values())


def _is_heard(path: Path, start_ms: float, length_ms: float) -> bool:
    """Whether a track has sound in a part of it that begins at `start_ms`, which is negative where it begins later.

    Raises Unreadable: who is heard there is not known then.
    """
    from rooms.recording.peaks import has_sound, samples  # it loads a library for sound

    with closing(samples(path, max(0.0, start_ms), length_ms + min(0.0, start_ms))) as blocks:
        return has_sound(blocks)


def refused_by(room: Room, from_ms: int, to_ms: int, voices: Iterable[User]) -> bool:
    """Whether one of these voices does not want a clip: they object to the publication of the replay, or took back
    another clip of the same moment as somebody who speaks in it."""
    pks = [user.pk for user in voices]
    if ReplayObjection.objects.filter(recording__room=room, user__in=pks).exists():
        return True
    taken = Clip.objects.filter(room=room, taken_back_as=Clip.TakenBackAs.VOICE, taken_back_by__in=pks)
    return taken.filter(from_ms__lt=to_ms, to_ms__gt=from_ms).exists()
