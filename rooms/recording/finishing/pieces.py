"""The pieces that a recorder left on the disk, also those that its playlist does not list: it was killed, or the disk
was full. ffmpeg then goes on as if nothing were wrong and leaves empty or half pieces.

Each piece says itself where in its run it belongs, so what follows a broken one keeps its place in time.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from rooms.recording.hls.playlists import Segment, init_name

RATE = 48000  # ticks in a second: the recorder's samples
_SECONDS = 1.003  # of a piece, to the next packet of AAC
_ASTRAY = 60.0  # seconds that a piece may be off where its number says; more is nonsense
_HEAD = 4096  # bytes in which a piece's index ends: it has about 50 packets


@dataclass(frozen=True)
class Piece:
    """One file. `ticks` is where in the run it begins; a piece that is not `whole` has packets up to where it ends."""

    number: int
    path: Path
    ticks: int
    whole: bool


@dataclass(frozen=True)
class Stretch:
    """Pieces of a run without a gap, and when their first sample sounded."""

    run: int
    at: datetime
    paths: tuple[Path, ...]


def stretches(folder: Path, run: int, listed: Sequence[Segment]) -> list[Stretch]:
    """Everything of a run that can be heard, oldest first. Raises FileNotFoundError when a listed piece is gone."""
    for segment in listed:
        (folder / segment.name).stat()
    pieces = found(folder, run)
    if not pieces or read_boxes(folder / init_name(run)).get("moov") is not True:
        return []
    begin = _begin(pieces, listed)
    return [
        Stretch(run, begin + timedelta(seconds=group[0].ticks / RATE), tuple(piece.path for piece in group))
        for group in unbroken(pieces)
    ]


def found(folder: Path, run: int) -> list[Piece]:
    """A run's pieces that have something in them. One that was being written has another name, and may be whole."""
    name = re.compile(rf"{run}-(\d{{1,9}})\.m4s(\.tmp)?")
    numbers = {
        int(match[1]): path for path in sorted(folder.iterdir(), reverse=True) if (match := name.fullmatch(path.name))
    }
    pieces = (_piece(number, path) for number, path in sorted(numbers.items()))
    return [piece for piece in pieces if piece is not None]


def runs_on_disk(folder: Path) -> list[int]:
    """Numbers of all runs that left something to begin with."""
    found = (path.name.partition("-init.mp4") for path in folder.glob("*-init.mp4"))
    return sorted(int(run) for run, _name, _rest in found if run.isdigit())


def unbroken(pieces: Sequence[Piece]) -> list[list[Piece]]:
    """Groups of pieces that follow each other; a broken one ends its group. Pure."""
    groups: list[list[Piece]] = []
    for piece in pieces:
        before = groups[-1][-1] if groups else None
        if before is None or not before.whole or piece.number != before.number + 1:
            groups.append([])
        groups[-1].append(piece)
    return groups


def _piece(number: int, path: Path) -> Piece | None:
    boxes = read_boxes(path)
    if "mdat" not in boxes or not boxes.get("moof"):
        return None
    with path.open("rb") as file:
        ticks = _ticks(file.read(_HEAD))
    if ticks is None or abs(ticks / RATE - number * _SECONDS) > _ASTRAY:
        return None
    return Piece(number, path, ticks, all(boxes.values()))


def _ticks(head: bytes) -> int | None:
    """Where a piece begins; None where a full disk or a power cut left something else than its index."""
    place = head.find(b"tfdt")
    if place < 0 or place + 16 > len(head):
        return None
    (ticks,) = struct.unpack_from(">Q" if head[place + 4] else ">I", head, place + 8)
    return int(ticks)


def _begin(pieces: Sequence[Piece], listed: Sequence[Segment]) -> datetime:
    """When a run began: as its playlist says, or else by when its files were written (right to a tenth of a second)."""
    ticks = {piece.path.name: piece.ticks for piece in pieces}
    for segment in listed:
        if segment.name in ticks:
            return segment.at - timedelta(seconds=ticks[segment.name] / RATE)
    written = min(piece.path.stat().st_mtime - piece.ticks / RATE for piece in pieces)
    return datetime.fromtimestamp(written - _SECONDS, UTC)


def read_boxes(path: Path) -> dict[str, bool]:
    """The boxes of an MP4 file by name, and whether each is all there. A file that is missing has none."""
    boxes: dict[str, bool] = {}
    try:
        with path.open("rb") as file:
            size = file.seek(0, 2)
            place = 0
            while place + 8 <= size:
                file.seek(place)
                length, kind = struct.unpack(">I4s", file.read(8))
                boxes[kind.decode("latin-1")] = length >= 8 and place + length <= size
                place += max(8, length)
    except FileNotFoundError:
        return {}
    return boxes
