"""Tracks as Janus writes them (.mjr: a header in JSON, then packets), and their joining into one Opus file a seat."""

from __future__ import annotations

import json
import mmap
import re
import struct
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import av

RATE = 48000
FRAME = 960  # samples in 20 ms of Opus
SILENCE = b"\xf8\xff\xfe"  # 20 ms of Opus silence
_FRAME_MARK = b"MEET"
_FRAME_HEAD = 10
_NAME = re.compile(r"audiobridge-.+-user-seat-(\d+)-(\d+)-audio\.mjr")


@dataclass(frozen=True)
class Raw:
    """What Janus wrote of one connection; `first_us` is when its first packet came, epoch microseconds."""

    path: Path
    first_us: int


def found(folder: Path) -> dict[int, list[Raw]]:
    """Seats with the connections that brought sound, in order of time. Empty files (no packet came) are left out."""
    seats: dict[int, list[Raw]] = {}
    for path in sorted(folder.glob("*.mjr")):
        name = _NAME.fullmatch(path.name)
        first_us = first_packet_us(path) if name else None
        if name and first_us is not None:
            seats.setdefault(int(name[1]), []).append(Raw(path, first_us))
    return {seat: sorted(raws, key=lambda raw: raw.first_us) for seat, raws in seats.items()}


def first_packet_us(path: Path) -> int | None:
    """`u` of the header; None for a file without one (8 bytes: nobody ever spoke)."""
    with path.open("rb") as file:
        head = file.read(10)
        if len(head) < 10 or head[:8] != b"MJR00002":
            return None
        (length,) = struct.unpack("!H", head[8:10])
        try:
            return int(json.loads(file.read(length))["u"])
        except (ValueError, KeyError):
            return None


def mend(path: Path, target: Path) -> Path:
    """The track without what Janus could not write whole: on a full disk it loses buffers, and goes on in the middle
    of a packet when there is space again. Its packets say when they belong, so what is left out becomes silence.

    Returns `path` itself where nothing is wrong with it.
    """
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
        begin = 10 + int.from_bytes(data[8:10], "big")
        whole = _whole_frames(data, begin)
        if sum(end - start for start, end in whole) == len(data) - begin:
            return path
        with target.open("wb") as mended:
            mended.write(data[:begin])
            for start, end in whole:
                mended.write(data[start:end])
    return target


def _whole_frames(data: mmap.mmap, begin: int) -> list[tuple[int, int]]:
    """Stretches of whole frames (MEET, time, length, packet): after each comes another or the end."""
    found: list[tuple[int, int]] = []
    place = begin
    while (place := data.find(_FRAME_MARK, place)) >= 0:
        end = place + _FRAME_HEAD + int.from_bytes(data[place + 8 : place + _FRAME_HEAD], "big")
        if end == len(data) or data[end : end + 4] == _FRAME_MARK:
            if found and found[-1][1] == place:
                found[-1] = found[-1][0], end
            else:
                found.append((place, end))
            place = end
        else:
            place += 1
    return found


def join(parts: Sequence[tuple[Path, float]], target: Path) -> float:
    """Write parts, each with its start in milliseconds, into one Opus file without coding anything again.

    Packets keep their place in time; between them stand packets of silence. Returns the file's length in milliseconds.
    """
    with av.open(str(target), "w", format="ogg") as output:
        with av.open(str(parts[0][0])) as first:
            stream = output.add_stream_from_template(first.streams.audio[0])
        stream.time_base = Fraction(1, RATE)
        at = 0
        for path, start_ms in parts:
            at = _fill(output, stream, at, round(start_ms * RATE / 1000))
            at = _copy(output, stream, path, at)
    return at * 1000 / RATE


def _fill(output: av.container.OutputContainer, stream: av.AudioStream, at: int, until: int) -> int:
    while until - at >= FRAME:
        at = _write(output, stream, SILENCE, at, FRAME)
    return at


def _copy(output: av.container.OutputContainer, stream: av.AudioStream, path: Path, at: int) -> int:
    """One part's packets from `at` on. Holes in its own time are filled too."""
    with av.open(str(path)) as source:
        begin: int | None = None
        for packet in source.demux(audio=0):
            if packet.size == 0 or packet.pts is None or packet.time_base is None:
                continue
            place = round(packet.pts * packet.time_base * RATE)
            begin = place - at if begin is None else begin
            at = _fill(output, stream, at, place - begin)
            at = _write(
                output, stream, bytes(packet), at, round((packet.duration or 0) * packet.time_base * RATE) or FRAME
            )
    return at


def _write(output: av.container.OutputContainer, stream: av.AudioStream, data: bytes, at: int, samples: int) -> int:
    packet = av.Packet(data)
    packet.stream = stream
    packet.time_base = Fraction(1, RATE)
    packet.pts = packet.dts = at
    packet.duration = samples
    output.mux(packet)
    return at + samples
