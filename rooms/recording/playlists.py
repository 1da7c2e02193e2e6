"""HLS playlists: the private one that ffmpeg writes is the recording; the public one is a window on its end. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

_BREAK = "#EXT-X-DISCONTINUITY\n"
WINDOW = 8  # segments in the public playlist
NAME = re.compile(r"(\d{1,6})-(?:\d{1,9}\.m4s|init\.mp4)")
_ENTRY = re.compile(
    r"^#EXTINF:(?P<duration>\d+\.?\d*),[^\n]*\n"
    r"#EXT-X-PROGRAM-DATE-TIME:(?P<at>\S+)\n"
    r"(?P<name>(?P<run>\d{1,6})-\d{1,9}\.m4s)\n",
    re.MULTILINE,
)


@dataclass(frozen=True)
class Segment:
    """One piece of sound. `run` counts ffmpeg's starts; `number` is the place in the whole recording, from 0."""

    number: int
    name: str
    run: int
    seconds: float
    at: datetime
    discontinuities: int

    @property
    def end(self) -> datetime:
        """When its last sample sounded."""
        return self.at + timedelta(seconds=self.seconds)


def init_name(run: int) -> str:
    """The file with which the segments of a run begin to make sense."""
    return f"{run}-init.mp4"


def parse(text: str) -> list[Segment]:
    """The segments of ffmpeg's event playlist, oldest first. A line that is not complete yet is left out."""
    segments: list[Segment] = []
    for number, entry in enumerate(_ENTRY.finditer(text)):
        run = int(entry["run"])
        before = segments[-1] if segments else None
        discontinuities = 0 if before is None else before.discontinuities + (before.run != run)
        at = datetime.fromisoformat(entry["at"]).astimezone(UTC)
        segments.append(Segment(number, entry["name"], run, float(entry["duration"]), at, discontinuities))
    return segments


def tail(text: str, size: int = WINDOW) -> list[Segment]:
    """The last segments only, numbered as `parse` does: a room of three hours must not be read again each second."""
    start = len(text)
    for _ in range(size):
        found = text.rfind("#EXTINF:", 0, start)
        if found < 0:
            break
        start = found
    before, first = text.count("#EXTINF:", 0, start), text.find("#EXTINF:")
    # ffmpeg marks each of its starts, the first one too; the mark of the tail's own first segment stands before it.
    breaks = text.count(_BREAK, max(first, 0), start) if before else 0
    return [
        replace(segment, number=segment.number + before, discontinuities=segment.discontinuities + breaks)
        for segment in parse(text[start:])
    ]


def window(segments: list[Segment], address: Callable[[str, datetime], str], size: int = WINDOW) -> str:
    """The public playlist: the last `size` segments, each at `address(name, time)`.

    It has no end tag: a player that saw one would stop for good.
    """
    shown = segments[-size:]
    first = shown[0]
    lines = [
        "#EXTM3U",
        "#EXT-X-VERSION:7",
        f"#EXT-X-TARGETDURATION:{max(1, *(round(segment.seconds) for segment in shown))}",
        f"#EXT-X-MEDIA-SEQUENCE:{first.number}",
        f"#EXT-X-DISCONTINUITY-SEQUENCE:{first.discontinuities}",
        "#EXT-X-INDEPENDENT-SEGMENTS",
    ]
    before: Segment | None = None
    for segment in shown:
        lines += _entry(segment, before, address)
        before = segment
    return "\n".join(lines) + "\n"


def _entry(segment: Segment, before: Segment | None, address: Callable[[str, datetime], str]) -> list[str]:
    lines = []
    if before is None or before.run != segment.run:
        if before is not None:
            lines.append("#EXT-X-DISCONTINUITY")
        lines.append(f'#EXT-X-MAP:URI="{address(init_name(segment.run), segment.at)}"')
    at = segment.at.isoformat(timespec="milliseconds").replace("+00:00", "Z")
    return [
        *lines,
        f"#EXT-X-PROGRAM-DATE-TIME:{at}",
        f"#EXTINF:{segment.seconds:.6f},",
        address(segment.name, segment.at),
    ]


@dataclass(frozen=True)
class Run:
    """What one ffmpeg recorded without a break."""

    run: int
    at: datetime
    segments: tuple[Segment, ...]

    @property
    def seconds(self) -> float:
        """How long it lasts."""
        return sum(segment.seconds for segment in self.segments)


def runs(segments: list[Segment]) -> list[Run]:
    """The recording as its unbroken pieces, oldest first; between them sound is missing."""
    grouped: dict[int, list[Segment]] = {}
    for segment in segments:
        grouped.setdefault(segment.run, []).append(segment)
    return [Run(run, group[0].at, tuple(group)) for run, group in grouped.items()]
