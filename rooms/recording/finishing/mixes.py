"""Join the recorder's runs into one m4a by copying packets, without encoding anything again."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import av

RATE = 48000
FRAME = 1024  # samples in a packet of AAC
# The first packet of an AAC encoder only primes the decoder: sound from a run's beginning is one packet later.
WARM_UP = 1  # packets


@dataclass(frozen=True)
class Joined:
    """Length of a joined file, and of the recorded sound in it, in milliseconds."""

    duration_ms: float
    sound_ms: float


def join(parts: Sequence[tuple[Path, float]], silence: Path, target: Path, total_ms: float = 0) -> Joined:
    """Write parts, each with its start in milliseconds, into one file of at least `total_ms`; fill gaps with silence.

    Every part is placed by counting packets from 0, so that errors never add up: half a packet (11 ms) at most.
    A part that overlaps the end of the previous one follows it directly.
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
    """Yield the whole packets of a file; a full disk cuts off the last one."""
    with av.open(str(path), "r") as source:
        for packet in source.demux(audio=0):
            if packet.size and not packet.is_corrupt:
                yield bytes(packet)


def _one_of(silence: Path) -> bytes:
    """Return a packet from the middle of encoded silence, which may be repeated any number of times."""
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
