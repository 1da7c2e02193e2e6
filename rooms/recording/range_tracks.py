"""Each speaker's sound in a range of a room: from the finished tracks, or from what Janus has written so far."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from rooms.models import Recording, RecordingFile, Room, Seat
from rooms.recording import store
from rooms.recording.finishing import tracks


@dataclass(frozen=True)
class TrackPart:
    """A file with sound of one person, which begins at `start_ms` of room time."""

    user_pk: int
    path: Path
    start_ms: float


def track_parts(room: Room, from_ms: int, to_ms: int, scratch: Path) -> Iterator[TrackPart]:
    """Yield the parts of all tracks that overlap a range of room time. Parts of a room that is live or not finished are
    cut and unpacked into `scratch`; sound of the last second or two may not be on the disk yet."""
    files = RecordingFile.objects.filter(
        recording__room=room, recording__state=Recording.State.READY, kind=RecordingFile.Kind.TRACK
    )
    if Recording.objects.filter(room=room, state=Recording.State.READY).exists():
        for file in files.select_related("seat").order_by("start_ms", "pk"):
            if file.seat and file.start_ms < to_ms and file.start_ms + file.duration_ms > from_ms:
                yield TrackPart(file.seat.user_id, store.file_path(file), file.start_ms)
    else:
        yield from _raw_parts(room, from_ms, to_ms, scratch)


def _raw_parts(room: Room, from_ms: int, to_ms: int, scratch: Path) -> Iterator[TrackPart]:
    """Yield the parts of tracks as Janus writes them, one for each connection."""
    if room.started_at is None:
        return
    started_ms = room.started_at.timestamp() * 1000
    people = dict(Seat.objects.filter(room=room).values_list("pk", "user_id"))
    for seat_pk, raws in sorted(tracks.raw_tracks(store.tracks_folder(room.pk)).items()):
        for number, raw in enumerate(raws if seat_pk in people else ()):
            begins_ms = raw.first_us / 1000 - started_ms
            cut = scratch / f"seat-{seat_pk}-{number}.mjr"
            first_ms = tracks.cut(raw.path, cut, from_ms - begins_ms, to_ms - begins_ms)
            opus = cut.with_suffix(".opus")
            if first_ms is not None and tracks.unpack(cut, opus):
                yield TrackPart(people[seat_pk], opus, begins_ms + first_ms)
