"""Packets of a track that Janus is still writing (.mjr), read as it grows, in order of their numbers.

Janus writes tracks in memory; each second they are moved on to the disk, and what is there is freed in memory
(`rooms.recording.track_memory`). So new bytes are in memory, and older ones, after a restart, on the disk. Of a track
that is long already only the end is read: what is older nobody needs any more.
"""

from __future__ import annotations

import heapq
import json
import os
import struct
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

_MAGIC = b"MJR00002"
_MARK = b"MEET"
_HEAD = struct.Struct(">4sIH")  # mark, ms since the first packet, length
_RTP = struct.Struct(">BBHII")
_MOST_WAIT_MS = 120  # for a packet whose number is missing; longer than the network's usual disorder
_READ = 1 << 16
MOST = 4 << 20  # bytes that are read at once
LAST = 1 << 20  # bytes of a long track that are read: a minute of the largest packets
_WRAP16, _WRAP32 = 1 << 16, 1 << 32


@dataclass(frozen=True, slots=True)
class Packet:
    """A packet of Opus: its number, its time in samples of 48 kHz, both counted on without wrapping around, and when it
    came, in ms since the track's first packet."""

    number: int
    time: int
    came_ms: int
    payload: bytes


def unwrapped(value: int, last: int | None, size: int) -> int:
    """Return the number nearest to `last` that is `value` modulo `size`."""
    if last is None:
        return value
    step = (value - last) % size
    return last + (step - size if step >= size // 2 else step)


def parse_rtp(data: bytes, came_ms: int, last: Packet | None) -> Packet | None:
    """Read one RTP packet; None for anything that has no sound in it."""
    if len(data) < _RTP.size:
        return None
    first, _kind, number, time, _source = _RTP.unpack_from(data)
    begin = _RTP.size + 4 * (first & 0x0F)
    if first >> 6 != 2:
        return None
    if first & 0x10:  # a header extension
        if len(data) < begin + 4:
            return None
        begin += 4 + 4 * int.from_bytes(data[begin + 2 : begin + 4], "big")
    end = len(data) - (data[-1] if first & 0x20 else 0)  # padding
    if begin >= end:
        return None
    return Packet(
        unwrapped(number, last.number if last else None, _WRAP16),
        unwrapped(time, last.time if last else None, _WRAP32),
        came_ms,
        data[begin:end],
    )


@dataclass
class Order:
    """Packets in order of their numbers; one that is missing is waited for as long as networks usually mix them up."""

    _next: int | None = None
    _waiting: list[tuple[int, int, Packet]] = field(default_factory=list)

    def add(self, packet: Packet) -> Iterator[Packet]:
        """Take a packet and yield those whose turn it is. One that comes twice or too late is dropped."""
        if self._next is None:
            self._next = packet.number
        if packet.number >= self._next:
            heapq.heappush(self._waiting, (packet.number, id(packet), packet))
        while self._waiting and self._is_due(packet.came_ms):
            number, _id, first = heapq.heappop(self._waiting)
            if number >= self._next:
                self._next = number + 1
                yield first

    def _is_due(self, now_ms: int) -> bool:
        number, _id, first = self._waiting[0]
        return self._next is None or number <= self._next or now_ms - first.came_ms > _MOST_WAIT_MS


class TrackTail:
    """One growing track: `read` returns the packets that came since the last call."""

    def __init__(self, path: Path, on_disk: Path, since_us: float = 0.0) -> None:
        """Packets that came before `since_us`, microseconds since 1970, are left out."""
        self.path, self._on_disk, self._since_us = path, on_disk, since_us
        self.first_us: int | None = None  # time of the first packet, microseconds since 1970
        self._place = 0
        self._rest = b""  # of what was read, what is no whole frame so far
        self._order = Order()
        self._last: Packet | None = None

    def read(self) -> list[Packet]:
        """Return new packets in order. Raises OSError where neither memory nor disk has the bytes."""
        self._rest += self._new_bytes(_READ if self.first_us is None else MOST)
        if self.first_us is None and not self._read_head():
            return []
        assert self.first_us is not None
        found: list[Packet] = []
        for came_ms, data in self._frames():
            if self.first_us + came_ms * 1000 < self._since_us:
                continue
            packet = parse_rtp(data, came_ms, self._last)
            if packet is not None:
                self._last = packet
                found.extend(self._order.add(packet))
        return found

    def _new_bytes(self, most: int) -> bytes:
        try:
            data, intact = _bytes_from(self.path, self._place, most)
        except FileNotFoundError:  # the track is over, and was moved to the disk as a whole
            data, intact = b"", False
        if not intact:
            # What is freed in memory is on the disk; what is not there yet is read from memory the next time.
            data, _whole = _bytes_from(self._on_disk, self._place, most)
        self._place += len(data)
        return data

    def _skip(self) -> None:
        """Go on near the end of a long track, at the next mark; of another one behind its head."""
        size = max((path.stat().st_size for path in (self.path, self._on_disk) if path.exists()), default=0)
        if size - LAST > self._place:
            self._place, self._rest = size - LAST, b""
        self._rest += self._new_bytes(MOST)

    def _read_head(self) -> bool:
        """Read the header, once it is there; returns whether it is."""
        if len(self._rest) < 10:
            return False
        length = int.from_bytes(self._rest[8:10], "big")
        if len(self._rest) < 10 + length:
            return False
        if not self._rest.startswith(_MAGIC):
            raise OSError(f"{self.path.name} is no track")
        head = json.loads(self._rest[10 : 10 + length])
        if "u" not in head:
            raise OSError(f"{self.path.name} has no time")
        self.first_us, self._rest = int(head["u"]), self._rest[10 + length :]
        self._skip()
        return True

    def _frames(self) -> Iterator[tuple[int, bytes]]:
        """Yield time and data of whole frames; a broken one is passed over to the next mark."""
        data, place = self._rest, 0
        while len(data) - place >= _HEAD.size:
            mark, came_ms, length = _HEAD.unpack_from(data, place)
            if mark != _MARK:
                found = data.find(_MARK, place + 1)
                place = found if found >= 0 else len(data) - len(_MARK) + 1
                continue
            if len(data) - place < _HEAD.size + length:
                break
            place += _HEAD.size + length
            yield came_ms, data[place - length : place]
        self._rest = data[place:]


def _bytes_from(path: Path, place: int, most: int) -> tuple[bytes, bool]:
    """Read at most so many bytes of a file from a place on; returns them, and whether none had been freed before."""
    fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        parts = []
        at = place
        while at - place < most and (part := os.pread(fd, _READ, at)):
            parts.append(part)
            at += len(part)
        if at == place:
            return b"", True
        # Pages are freed from the beginning on: where the first one still has data, all of them have.
        return b"".join(parts), os.lseek(fd, place, os.SEEK_DATA) == place
    finally:
        os.close(fd)
