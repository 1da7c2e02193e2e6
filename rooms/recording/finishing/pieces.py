"""Find the segment files that a recorder left on the disk, also those missing from its playlist because it was killed
or the disk was full. On a full disk ffmpeg goes on and leaves empty or truncated files.

Each segment contains its position in its run, so segments after a broken one keep their place in time.
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
_SECONDS = 1.003  # of a segment: a second, rounded up to whole packets of AAC
_ASTRAY = 60.0  # seconds between a segment's position and the one expected from its number; more is corrupt
_HEAD = 4096  # bytes in which a segment's index ends: it has about 50 packets


@dataclass(frozen=True)
class SegmentFile:
    """One file of a run. `ticks` is its start in the run (1/RATE s); it is truncated if it is not `whole`."""

    number: int
    path: Path
    ticks: int
    whole: bool


@dataclass(frozen=True)
class Stretch:
    """Consecutive segments of a run without a gap; `at` is the time of their first sample."""

    run: int
    at: datetime
    paths: tuple[Path, ...]


def stretches(folder: Path, run: int, listed: Sequence[Segment]) -> list[Stretch]:
    """All playable stretches of a run, oldest first. Raises FileNotFoundError when a listed segment is missing."""
    for segment in listed:
        (folder / segment.name).stat()
    files = segment_files(folder, run)
    if not files or read_boxes(folder / init_name(run)).get("moov") is not True:
        return []
    begin = _begin(files, listed)
    return [
        Stretch(run, begin + timedelta(seconds=group[0].ticks / RATE), tuple(file.path for file in group))
        for group in contiguous(files)
    ]


def segment_files(folder: Path, run: int) -> list[SegmentFile]:
    """Segments of a run that have packets, by number. One that was being written (`.tmp`) counts: it may be whole."""
    name = re.compile(rf"{run}-(\d{{1,9}})\.m4s(\.tmp)?")
    numbers = {
        int(match[1]): path for path in sorted(folder.iterdir(), reverse=True) if (match := name.fullmatch(path.name))
    }
    files = (_segment_file(number, path) for number, path in sorted(numbers.items()))
    return [file for file in files if file is not None]


def runs_on_disk(folder: Path) -> list[int]:
    """Numbers of all runs that have an init file."""
    names = (path.name.partition("-init.mp4") for path in folder.glob("*-init.mp4"))
    return sorted(int(run) for run, _name, _rest in names if run.isdigit())


def contiguous(files: Sequence[SegmentFile]) -> list[list[SegmentFile]]:
    """Group segments with consecutive numbers; a truncated one ends its group. Pure."""
    groups: list[list[SegmentFile]] = []
    for file in files:
        before = groups[-1][-1] if groups else None
        if before is None or not before.whole or file.number != before.number + 1:
            groups.append([])
        groups[-1].append(file)
    return groups


def _segment_file(number: int, path: Path) -> SegmentFile | None:
    boxes = read_boxes(path)
    if "mdat" not in boxes or not boxes.get("moof"):
        return None
    with path.open("rb") as file:
        ticks = _ticks(file.read(_HEAD))
    if ticks is None or abs(ticks / RATE - number * _SECONDS) > _ASTRAY:
        return None
    return SegmentFile(number, path, ticks, all(boxes.values()))


def _ticks(head: bytes) -> int | None:
    """Start of a segment in its run, in ticks; None where a full disk or a power cut destroyed its index."""
    place = head.find(b"tfdt")
    if place < 0 or place + 16 > len(head):
        return None
    (ticks,) = struct.unpack_from(">Q" if head[place + 4] else ">I", head, place + 8)
    return int(ticks)


def _begin(files: Sequence[SegmentFile], listed: Sequence[Segment]) -> datetime:
    """Start of a run by its playlist, or else by the times at which its files were written (to a tenth of a second)."""
    ticks = {file.path.name: file.ticks for file in files}
    for segment in listed:
        if segment.name in ticks:
            return segment.at - timedelta(seconds=ticks[segment.name] / RATE)
    written = min(file.path.stat().st_mtime - file.ticks / RATE for file in files)
    return datetime.fromtimestamp(written - _SECONDS, UTC)


def read_boxes(path: Path) -> dict[str, bool]:
    """Top-level boxes of an MP4 file by name, and whether each is complete. A missing file has none."""
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
