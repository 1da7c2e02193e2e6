"""Clips: the sound of one range of a room, cut out of the mix, else of the segments that the recorder wrote, without
encoding anything again. As with evidence, nothing here has an address or checks a right: the caller does both.

A clip is made in memory for each request and kept nowhere. It is the same bytes each time: players may ask for parts.
"""

from __future__ import annotations

import hashlib
import io
from collections.abc import AsyncIterator, Callable, Iterator
from fractions import Fraction
from pathlib import Path
from typing import IO, TYPE_CHECKING

from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase

from rooms.models import RecordingFile, Room
from rooms.recording import marker, store
from rooms.recording.delivery import downloads
from rooms.recording.delivery.evidence import evidence_manifest
from rooms.recording.delivery.responses import deliver_bytes, named
from rooms.rules.refusals import RoomRefused

if TYPE_CHECKING:
    import av

LONGEST_MS = 15 * 60_000  # of one clip: about 7 MB


def serve_clip(
    request: HttpRequest,
    room: Room,
    from_ms: int,
    to_ms: int,
    still: Callable[[], bool],
    note: Callable[[], None],
) -> HttpResponseBase:
    """Respond with a range of a room, in ms of room time, or with a part of these bytes; 404 where there is no sound.

    `still` is called while bytes are sent: whether the listener may still have them. `note` is called before the first
    are; where it fails, none is. Streams that are open count for the listener and for the address, as downloads do.
    """
    try:
        content = cut_clip(room, from_ms, to_ms)
    except RoomRefused as refused:
        return HttpResponse(refused.text, status=refused.status, content_type="text/plain; charset=utf-8")
    if content is None:
        raise Http404

    async def source(start: int, stop: int) -> AsyncIterator[bytes]:
        yield content[start:stop]

    etag = hashlib.sha256(content).hexdigest()
    response = named(deliver_bytes(request, source, len(content), etag, "audio/mp4"), "")
    response["Cache-Control"] = "no-store, private"
    if response.streaming:
        note()
    reader: int | None = getattr(getattr(request, "user", None), "pk", None)
    return downloads.limited(request, response, reader, still, by_address=True)


def cut_clip(room: Room, from_ms: int, to_ms: int) -> bytes | None:
    """Cut a range of room time out of a room's sound; None where there is none in it. What the bytes decode to lies
    within the range. Raises unavailable where RECORDINGS_DIR is not this installation's."""
    import av  # a library for sound, which most processes do without

    assert to_ms - from_ms <= LONGEST_MS, "a clip is made in memory"
    if marker.trouble():
        raise RoomRefused("unavailable")
    target = io.BytesIO()
    with av.open(target, "w", format="ipod") as output:
        stream: av.AudioStream | None = None
        at = 0
        for packet, template in _packets(room, from_ms, to_ms):
            if stream is None:
                stream = output.add_stream_from_template(template)
            copy = av.Packet(bytes(packet))
            copy.stream, copy.time_base, copy.is_keyframe = stream, packet.time_base, True
            copy.pts = copy.dts = at
            copy.duration = packet.duration
            at += packet.duration or 0
            output.mux(copy)
    return target.getvalue() if stream is not None else None


def _packets(room: Room, from_ms: int, to_ms: int) -> Iterator[tuple[av.Packet[av.AudioStream], av.AudioStream]]:
    """Yield the packets of a range, each with the stream that it comes from."""
    manifest = evidence_manifest(room)
    if manifest.kind == "mix":
        mix = room.recording.files.get(kind=RecordingFile.Kind.MIX)
        yield from _of_file(store.file_path(mix), mix.start_ms, from_ms, to_ms)
        return
    for segment in manifest.segments:
        if segment.start_ms < to_ms and segment.start_ms + segment.duration_ms > from_ms:
            folder = store.hls_folder(room.pk)
            names = (segment.init.rpartition("/")[2], segment.path.rpartition("/")[2])
            piece = io.BytesIO(b"".join((folder / name).read_bytes() for name in names))
            yield from _of_file(piece, segment.start_ms, from_ms, to_ms, from_first=True)


def _of_file(
    file: Path | IO[bytes], begins_ms: int, from_ms: int, to_ms: int, *, from_first: bool = False
) -> Iterator[tuple[av.Packet[av.AudioStream], av.AudioStream]]:
    """Yield the packets of a file whose sound lies in a range. Its time 0 is `begins_ms` of room time; with
    `from_first` its first packet is, as in a segment."""
    import av

    with av.open(str(file) if isinstance(file, Path) else file, "r") as source:
        stream = source.streams.audio[0]
        unit = stream.time_base
        assert unit is not None
        if not from_first and from_ms > begins_ms:
            source.seek(max(0, int(Fraction(from_ms - begins_ms, 1000) / unit)), stream=stream)
        zero: int | None = None if from_first else 0
        for packet in source.demux(stream):
            if not packet.size or packet.pts is None or packet.is_corrupt:
                continue
            zero = packet.pts if zero is None else zero
            start = begins_ms + (packet.pts - zero) * unit * 1000
            # A packet of AAC holds the sound of its own time and, overlapping, of the next packet's.
            end = start + 2 * (packet.duration or 0) * unit * 1000
            if start >= to_ms:
                return
            if start >= from_ms and end <= to_ms:
                yield packet, stream
