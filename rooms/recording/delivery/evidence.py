"""Sound of a room as evidence for staff who decide a case: the mix of a finished recording, else the segments that the
recorder wrote so far. Nothing here has an address or checks a right: the caller does both, whatever entry policy or
restriction says.
"""

from __future__ import annotations

import json
import re
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase

from core.threads import in_thread
from rooms.models import Recording, RecordingFile, Room, Seat
from rooms.recording import marker, store
from rooms.recording.delivery import downloads
from rooms.recording.delivery.responses import deliver_bytes, deliver_file, named, read_range
from rooms.recording.delivery.sound_places import sound_places
from rooms.recording.hls import playlists
from rooms.rules.refusals import RoomRefused
from rooms.wire.stage_log import open_microphones

MIX = "mix.m4a"
_SEGMENT = re.compile(rf"hls/({playlists.NAME.pattern})")


@dataclass(frozen=True)
class EvidenceSegment:
    """A segment of the recorder at its room time; `init` and `path` are for `serve_evidence`."""

    path: str
    init: str
    start_ms: int
    duration_ms: int


@dataclass(frozen=True)
class EvidenceManifest:
    """Sound of a room: `mix` (the file `path`, which takes byte ranges), `segments` or `nothing`. `duration_ms` is the
    room's length so far; `is_live`: more segments are to come."""

    kind: Literal["mix", "segments", "nothing"]
    duration_ms: int
    is_live: bool = False
    path: str = ""
    segments: tuple[EvidenceSegment, ...] = ()


@dataclass(frozen=True)
class SpeakerLane:
    """When a person talked (`sound`), or had the microphone open where no waveform is drawn yet (`microphone`); from
    and to in ms of room time."""

    user_pk: int
    name: str
    source: Literal["sound", "microphone"]
    intervals: list[tuple[int, int]]


def evidence_manifest(room: Room) -> EvidenceManifest:
    """Describe what can be played of a room. Raises unavailable where RECORDINGS_DIR is not this installation's."""
    length_ms = room.room_time(room.ended_at)
    if room.purged_at is not None or room.started_at is None:
        return EvidenceManifest("nothing", length_ms)
    mix = _mix_of(room)
    if mix is not None:
        return EvidenceManifest("mix", max(length_ms, mix.start_ms + mix.duration_ms), path=MIX)
    segments = tuple(
        EvidenceSegment(
            f"hls/{segment.name}",
            f"hls/{playlists.init_name(segment.run)}",
            room.room_time(segment.at),
            round(segment.seconds * 1000),
        )
        for segment in _segments(room)
    )
    return EvidenceManifest("segments" if segments else "nothing", length_ms, room.is_live, segments=segments)


def evidence_playlist(room: Room, address: Callable[[str], str], from_ms: int = 0, to_ms: int | None = None) -> str:
    """Write an HLS playlist of a room's segments, those that overlap a range where one is given; `address` makes the
    address of a path for `serve_evidence`. It ends unless the room is live and `to_ms` is None.

    Raises no_recording where there is no segment, unavailable as `evidence_manifest`.
    """
    wanted = [
        segment
        for segment in _segments(room)
        if room.room_time(segment.end) > from_ms and (to_ms is None or room.room_time(segment.at) < to_ms)
    ]
    if not wanted:
        raise RoomRefused("no_recording")
    text = playlists.public_playlist(wanted, lambda name: address(f"hls/{name}"), size=len(wanted))
    if not (room.is_live and to_ms is None):
        return f"{text}#EXT-X-ENDLIST\n"
    return text.replace("#EXT-X-VERSION:7\n", "#EXT-X-VERSION:7\n#EXT-X-PLAYLIST-TYPE:EVENT\n", 1)


def serve_evidence(
    request: HttpRequest,
    room: Room,
    path: str,
    still: Callable[[], bool] | None = None,
    note: Callable[[int, int], None] | None = None,
) -> HttpResponseBase:
    """Respond with a file that the manifest names, whole or in part; it is stored nowhere. 404 for any other path.

    `still` is called while bytes are sent: whether the reader may still have them. A purge stops them in any case.
    Streams that are open count for the reader and for the address, as downloads do.
    `note` is called with each range of room time, in ms, before its sound is sent; where it fails, nothing more is.
    """
    if room.purged_at is not None:
        raise Http404
    file, etag, content_type = _file_of(room, path)
    if marker.trouble():
        unavailable = RoomRefused("unavailable")
        return HttpResponse(
            unavailable.text,
            status=503,
            content_type="text/plain; charset=utf-8",
            headers={"Cache-Control": "no-store"},
        )
    if path == MIX:
        response = _deliver_mix(request, room, file, etag, note)
    else:
        response = deliver_file(request, file, etag, content_type)
        if note is not None and request.method == "GET" and response.status_code < 300:
            for segment in _segments(room):
                if path == f"hls/{segment.name}":
                    note(room.room_time(segment.at), room.room_time(segment.end))
    response["Cache-Control"] = "no-store, private"

    def allowed() -> bool:
        return Room.objects.filter(pk=room.pk, purged_at=None).exists() and (still is None or still())

    reader: int | None = getattr(getattr(request, "user", None), "pk", None)
    return downloads.limited(request, response, reader, allowed, by_address=True)


def _deliver_mix(
    request: HttpRequest, room: Room, file: Path, etag: str, note: Callable[[int, int], None] | None
) -> HttpResponseBase:
    """Send the mix from this process, never by nginx: only so it is known how much of it was sent."""
    mix = _mix_of(room)
    if mix is None:
        raise Http404
    try:
        places, begins = sound_places(file, etag), mix.start_ms
    except FileNotFoundError as error:
        raise Http404 from error

    async def source(start: int, stop: int) -> AsyncIterator[bytes]:
        async for data in read_range(file, start, stop):
            span = places.between(start, start + len(data))
            if note is not None and span is not None:
                await in_thread(note, begins + span[0], begins + span[1])
            start += len(data)
            yield data

    return named(deliver_bytes(request, source, mix.size, etag, "audio/mp4"), "")


def peaks_for(room: Room) -> dict[str, Any]:
    """Get the waveform in the form of `peaks.draw`: the one that was drawn, else what the segments so far have, with
    `complete_ms`, up to which they were read (ask again for more). Lanes are by seat, as in `track_lanes`."""
    from rooms.recording import live_peaks  # it loads a library for sound

    if room.purged_at is None and (drawn := _drawn(room)) is not None:
        return drawn
    segments = [] if room.purged_at is not None else _segments(room)
    length_ms = room.room_time(room.ended_at)
    return live_peaks.waveform(room, segments, length_ms) | {"lanes": _microphone_lanes(room, length_ms)}


def track_lanes(room: Room) -> list[SpeakerLane]:
    """List when each person talked, in the order in which they sat down first."""
    seats = Seat.objects.filter(room=room).select_related("user").order_by("taken_at", "pk")
    people = {seat.pk: seat.user for seat in seats}
    names = {user.pk: user.display_name for user in people.values()}
    drawn = _drawn(room) if room.purged_at is None else None
    intervals: dict[int, list[tuple[int, int]]] = {pk: [] for pk in names}
    if drawn is None:
        intervals |= open_microphones(room, room.room_time(room.ended_at))
        return [SpeakerLane(pk, names[pk], "microphone", intervals[pk]) for pk in names]
    for lane in drawn["lanes"]:
        if lane["seat"] in people:
            intervals[people[lane["seat"]].pk] += [(start, end) for start, end in lane["talks"]]
    return [SpeakerLane(pk, names[pk], "sound", sorted(intervals[pk])) for pk in names]


def _mix_of(room: Room) -> RecordingFile | None:
    return RecordingFile.objects.filter(
        recording__room=room, recording__state=Recording.State.READY, kind=RecordingFile.Kind.MIX
    ).first()


def _segments(room: Room) -> Sequence[playlists.Segment]:
    """Segments that the recorder listed so far, oldest first. Raises unavailable."""
    if marker.trouble():
        raise RoomRefused("unavailable")
    return playlists.parse(store.playlist_texts(room.pk))


def _file_of(room: Room, path: str) -> tuple[Path, str, str]:
    """Path, entity tag and content type of a file of evidence. Raises Http404."""
    if path == MIX and (mix := _mix_of(room)) is not None:
        return store.file_path(mix), mix.sha256, "audio/mp4"
    if (match := _SEGMENT.fullmatch(path)) is not None and (store.hls_folder(room.pk) / match[1]).is_file():
        return store.hls_folder(room.pk) / match[1], f"{room.pk}-{match[1]}", "audio/mp4"
    raise Http404


def _drawn(room: Room) -> dict[str, Any] | None:
    """Read the waveform of a finished recording; None where it is not drawn."""
    if not Recording.objects.filter(room=room, state=Recording.State.READY, prepared_at__isnull=False).exists():
        return None
    try:
        drawn: dict[str, Any] = json.loads(store.peaks_path(room.pk).read_text())
    except FileNotFoundError:
        return None
    return drawn


def _microphone_lanes(room: Room, until_ms: int) -> list[dict[str, Any]]:
    """Lanes of open microphones, each with the person's first seat."""
    first: dict[int, int] = {}
    for seat_pk, user_pk in Seat.objects.filter(room=room).order_by("pk").values_list("pk", "user_id"):
        first.setdefault(user_pk, seat_pk)
    intervals = open_microphones(room, until_ms)
    return [{"seat": seat_pk, "talks": intervals.get(user_pk, [])} for user_pk, seat_pk in first.items()]
