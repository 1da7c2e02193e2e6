"""Read tracks as Janus writes them (.mjr: a header in JSON, then packets) and join them into one Opus file a seat."""

from __future__ import annotations

import json
import logging
import mmap
import re
import struct
import subprocess
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import av

log = logging.getLogger(__name__)

RATE = 48000
_UNPACK_TIMEOUT = 3600.0  # seconds
FRAME = 960  # samples in 20 ms of Opus
SILENCE = b"\xf8\xff\xfe"  # 20 ms of Opus silence
_FRAME_MARK = b"MEET"
_FRAME_HEAD = 10
_NAME = re.compile(r"audiobridge-.+-user-seat-(\d+)-(\d+)-audio\.mjr")


@dataclass(frozen=True)
class RawTrack:
    """Track of one connection, written by Janus; `first_us` is its first packet's time, microseconds since 1970."""

    path: Path
    first_us: int


def raw_tracks(folder: Path) -> dict[int, list[RawTrack]]:
    """Raw tracks by seat, in order of time. Files without a packet are left out."""
    seats: dict[int, list[RawTrack]] = {}
    for path in sorted(folder.glob("*.mjr")):
        name = _NAME.fullmatch(path.name)
        first_us = first_packet_us(path) if name else None
        if name and first_us is not None:
            seats.setdefault(int(name[1]), []).append(RawTrack(path, first_us))
    return {seat: sorted(raws, key=lambda raw: raw.first_us) for seat, raws in seats.items()}


def first_packet_us(path: Path) -> int | None:
    """Time of the first packet, `u` in the header, in microseconds since 1970; None where no packet was written."""
    with path.open("rb") as file:
        head = file.read(10)
        if len(head) < 10 or head[:8] != b"MJR00002":
            return None
        (length,) = struct.unpack("!H", head[8:10])
        try:
            return int(json.loads(file.read(length))["u"])
        except (ValueError, KeyError):
            return None


def drop_broken_frames(path: Path, target: Path) -> Path:
    """Copy the whole frames of a track: on a full disk Janus loses buffers, and goes on in the middle of a packet when
    there is space again. Packets contain their time, so dropped ones become silence.

    Returns `target`, or `path` where no frame is broken.
    """
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
        begin = 10 + int.from_bytes(data[8:10], "big")
        whole = _whole_frames(data, begin)
        if sum(end - start for start, end in whole) == len(data) - begin:
            return path
        with target.open("wb") as copy:
            copy.write(data[:begin])
            for start, end in whole:
                copy.write(data[start:end])
    return target


def _whole_frames(data: mmap.mmap, begin: int) -> list[tuple[int, int]]:
    """Ranges of whole frames (MEET, time, length, packet): each is followed by another frame or the end."""
    ranges: list[tuple[int, int]] = []
    place = begin
    while (place := data.find(_FRAME_MARK, place)) >= 0:
        end = place + _FRAME_HEAD + int.from_bytes(data[place + 8 : place + _FRAME_HEAD], "big")
        if end == len(data) or data[end : end + 4] == _FRAME_MARK:
            if ranges and ranges[-1][1] == place:
                ranges[-1] = ranges[-1][0], end
            else:
                ranges.append((place, end))
            place = end
        else:
            place += 1
    return ranges


def cut(path: Path, target: Path, from_ms: float, to_ms: float) -> int | None:
    """Copy the whole frames that came in between two times (ms since the track's first packet) to `target`, which is a
    track too. Returns the time of the first one in ms; None, and no file, where there is none. The track may still be
    written."""
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
        begin = 10 + int.from_bytes(data[8:10], "big")
        frames = [(place, end, at) for place, end, at in _frames(data, begin) if from_ms <= at < to_ms]
        if not frames:
            return None
        with target.open("wb") as copy:
            copy.write(data[:begin])
            for place, end, _at in frames:
                copy.write(data[place:end])
        return frames[0][2]


def _frames(data: mmap.mmap, begin: int) -> Iterator[tuple[int, int, int]]:
    """Yield place, end and time (ms since the first) of each whole frame."""
    for start, stop in _whole_frames(data, begin):
        place = start
        while place < stop:
            at, length = struct.unpack_from(">IH", data, place + len(_FRAME_MARK))
            end = place + _FRAME_HEAD + length
            yield place, end, at
            place = end


def unpack(raw: Path, opus: Path) -> bool:
    """Convert a raw track by Janus' own tool, which sorts packets and fills muted time with silence. Returns whether it
    has sound."""
    done = subprocess.run(
        ["janus-pp-rec", str(raw), str(opus)], capture_output=True, text=True, timeout=_UNPACK_TIMEOUT, check=False
    )
    if done.returncode != 0 or not opus.exists() or opus.stat().st_size == 0:
        log.warning("%s: no sound in it (%s)", raw.name, done.returncode)
        return False
    return True


def join(parts: Sequence[tuple[Path, float]], target: Path) -> float:
    """Write parts, each with its start in milliseconds, into one Opus file without encoding anything again.

    Packets keep their place in time; gaps are filled with silence. Returns the file's length in milliseconds.
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
    """Write the packets of one part from `at` (samples) on, filling gaps with silence. Returns the new end."""
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
