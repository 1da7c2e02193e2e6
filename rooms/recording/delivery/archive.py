"""A zip whose bytes are known before one of them is sent: stored entries, sizes and checksums given. Pure.

Because nothing is compressed and every size is known, each byte has its place from the start: any range can be made
without the ones before it, so that a broken download goes on where it stopped. ZIP64 where something passes 4 GB.
Format: PKWARE APPNOTE 6.3.10, sections 4.3.7, 4.3.12, 4.3.14–4.3.16, 4.5.3.
"""

from __future__ import annotations

import bisect
import struct
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

FULL = 0xFFFFFFFF  # "see the ZIP64 field"
FULL_COUNT = 0xFFFF
UTF8 = 0x0800
PLAIN, ZIP64 = 20, 45  # version needed to extract, times ten
UNIX = 3 << 8
READABLE = 0o100644 << 16
_LOCAL = struct.Struct("<4s5H3L2H")
_CENTRAL = struct.Struct("<4s6H3L5H2L")
_END64 = struct.Struct("<4sQ2H2L4Q")
_LOCATOR = struct.Struct("<4sLQL")
_END = struct.Struct("<4s4H2LH")


@dataclass(frozen=True, slots=True)
class Entry:
    """A file to be: its name in the zip, and all that its headers say of its content."""

    name: str
    size: int
    crc32: int


@dataclass(frozen=True, slots=True)
class Part:
    """A stretch of the zip: bytes of ours, or (`entry` given) the content of that entry."""

    start: int
    size: int
    header: bytes = b""
    entry: int | None = None


@dataclass(frozen=True, slots=True)
class Piece:
    """What is to be read of a part."""

    part: Part
    offset: int
    size: int


@dataclass(frozen=True, slots=True)
class Layout:
    """Where everything lies."""

    parts: tuple[Part, ...]
    size: int

    def pieces(self, start: int, stop: int) -> Iterator[Piece]:
        """The pieces that make the bytes from `start` up to, not including, `stop`."""
        first = bisect.bisect_right(self.parts, start, key=lambda part: part.start) - 1
        for part in self.parts[max(0, first) :]:
            begin, end = max(start, part.start), min(stop, part.start + part.size)
            if part.start >= stop:
                return
            if begin < end:
                yield Piece(part, begin - part.start, end - begin)


def layout(entries: Iterable[Entry], at: datetime) -> Layout:
    """The zip of these entries, in this order, all dated `at` (UTC, two seconds exact)."""
    stamp, day = dos_time(at)
    parts: list[Part] = []
    central: list[bytes] = []
    place = 0

    def add(size: int, header: bytes = b"", entry: int | None = None) -> None:
        nonlocal place
        if size:
            parts.append(Part(place, size, header, entry))
            place += size

    for number, entry in enumerate(entries):
        central.append(_central(entry, place, stamp, day))
        header = _local(entry, stamp, day)
        add(len(header), header)
        add(entry.size, entry=number)
    directory = b"".join(central)
    ending = directory + _ending(len(central), len(directory), place)
    add(len(ending), ending)
    return Layout(tuple(parts), place)


def dos_time(at: datetime) -> tuple[int, int]:
    """Time and date as DOS counted them; years outside of 1980–2107 are brought inside."""
    at = at.astimezone(UTC)
    year = min(max(at.year, 1980), 2107) - 1980
    return at.hour << 11 | at.minute << 5 | at.second // 2, year << 9 | at.month << 5 | at.day


def _local(entry: Entry, stamp: int, day: int) -> bytes:
    name, large = entry.name.encode(), entry.size >= FULL
    size = FULL if large else entry.size
    extra = struct.pack("<2H2Q", 1, 16, entry.size, entry.size) if large else b""
    version = ZIP64 if large else PLAIN
    head = (b"PK\3\4", version, UTF8, 0, stamp, day, entry.crc32, size, size, len(name), len(extra))
    return _LOCAL.pack(*head) + name + extra


def _central(entry: Entry, place: int, stamp: int, day: int) -> bytes:
    name = entry.name.encode()
    size, offset = min(entry.size, FULL), min(place, FULL)
    long = [entry.size, entry.size] if size == FULL else []
    long += [place] if offset == FULL else []
    extra = struct.pack(f"<2H{len(long)}Q", 1, 8 * len(long), *long) if long else b""
    version = ZIP64 if long else PLAIN
    made = (b"PK\1\2", UNIX | version, version, UTF8, 0, stamp, day)
    sizes = (entry.crc32, size, size, len(name), len(extra), 0, 0, 0, READABLE, offset)
    return _CENTRAL.pack(*made, *sizes) + name + extra


def _ending(count: int, size: int, place: int) -> bytes:
    few = min(count, FULL_COUNT)
    end = _END.pack(b"PK\5\6", 0, 0, few, few, min(size, FULL), min(place, FULL), 0)
    if count < FULL_COUNT and size < FULL and place < FULL:
        return end
    version = UNIX | ZIP64
    end64 = _END64.pack(b"PK\6\6", _END64.size - 12, version, ZIP64, 0, 0, count, count, size, place)
    return end64 + _LOCATOR.pack(b"PK\6\7", 0, place + size, 1) + end
