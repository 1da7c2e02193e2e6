"""The recorder's runs joined into one m4a: packets are copied and counted, nothing is coded again."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import av

RATE = 48000
FRAME = 1024  # samples in a packet of AAC
# A coder's first packet only warms up its decoder: what was said at a run's begin sounds one packet later.
WARM_UP = 1


@dataclass(frozen=True)
class Joined:
    """Milliseconds: how long the file is, and how much of that was recorded."""

    duration_ms: float
    sound_ms: float


def join(parts: Sequence[tuple[Path, float]], silence: Path, target: Path, total_ms: float = 0) -> Joined:
    """Write parts, each with its start in milliseconds, into one file that lasts `total_ms` or longer.

    Every part is placed by counting packets from 0, so that errors never add up: half a packet (11 ms) at most.
    A part that would begin before the one before it has ended follows it directly.
    """
    quiet = _one_of(silence)
    at = sound = 0
    with av.open(str(target), "w", format="ipod", options={"movflags": "+faststart"}) as output:
        with av.open(str(parts[0][0]), "r") as first:
            stream = output.add_stream_from_template(first.streams.audio[0])
        for path, start_ms in parts:
            place = round(start_ms * RATE / 1000 / FRAME) - WARM_UP
            for _ in range(place - at):
                at = _write(output, stream, quiet, at)
            for data in _packets(path):
                at = _write(output, stream, data, at)
                sound += 1
        for _ in range(round(total_ms * RATE / 1000 / FRAME) - at):
            at = _write(output, stream, quiet, at)
    return Joined(at * FRAME * 1000 / RATE, sound * FRAME * 1000 / RATE)


def _packets(path: Path) -> Iterator[bytes]:
    """All that are whole: a disk that became full cuts the last one off."""
    with av.open(str(path), "r") as source:
        for packet in source.demux(audio=0):
            if packet.size and not packet.is_corrupt:
                yield bytes(packet)


def _one_of(silence: Path) -> bytes:
    """A packet from the middle of coded silence; the same one may stand many times in a row."""
    with av.open(str(silence), "r") as source:
        packets = [bytes(packet) for packet in source.demux(audio=0) if packet.size]
    return packets[len(packets) // 2]


def _write(output: av.container.OutputContainer, stream: av.AudioStream, data: bytes, at: int) -> int:
    packet = av.Packet(data)
    packet.stream = stream
    packet.time_base = Fraction(1, RATE)
    packet.pts = packet.dts = at * FRAME
    packet.duration = FRAME
    packet.is_keyframe = True
    output.mux(packet)
    return at + 1
