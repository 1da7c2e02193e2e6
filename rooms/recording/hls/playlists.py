"""HLS playlists: the private ones that ffmpeg writes are the recording; the public one is a window on its end. Pure.

Each start of the recorder (a *run*) has a playlist of its own. ffmpeg can append to an older one, but then what was
recorded hangs on its reading and rewriting all of it each second: a restart at the wrong moment, or a full disk, would
lose the list of everything before.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

_MARK = "#EXTINF:"
WINDOW = 8  # segments in the public playlist
# Segments that are handed out although the playlist does not list them any more. A player acts on a list that is a
# second or two old, and a slow one is still fetching the oldest piece of it.
MARGIN = 4
NAME = re.compile(r"([0-9]{1,6})-(?:[0-9]{1,9}\.m4s|init\.mp4)")
_FIRST = re.compile(r"^#EXT-X-MEDIA-SEQUENCE:(\d{1,9})$", re.MULTILINE)
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


def list_name(run: int) -> str:
    """The playlist of a run."""
    return f"{run}.m3u8"


def init_name(run: int) -> str:
    """The file with which the segments of a run begin to make sense."""
    return f"{run}-init.mp4"


def parse(texts: Sequence[str]) -> list[Segment]:
    """All segments of a recording, oldest first, from its runs' playlists in order."""
    segments: list[Segment] = []
    breaks = 0
    for text in texts:
        found = _entries(text)
        segments += [_segment(entry, len(segments) + place, breaks) for place, entry in enumerate(found)]
        breaks += bool(found)
    return segments


def tail(texts: Sequence[str], size: int = WINDOW) -> list[Segment]:
    """The last segments only, numbered as `parse` does: a room of three hours must not be read again each second."""
    listed = [text.count(_MARK) for text in texts]
    counts = [dropped(text) + count for text, count in zip(texts, listed, strict=True)]
    segments: list[Segment] = []
    for place in reversed(range(len(texts))):
        wanted = min(size - len(segments), listed[place])
        breaks = sum(count > 0 for count in counts[:place])
        first = sum(counts[: place + 1]) - wanted
        found = _entries(_end(texts[place], wanted)) if wanted else []
        segments[:0] = [_segment(entry, first + number, breaks) for number, entry in enumerate(found)]
    return segments


def shortened(text: str, size: int) -> str:
    """A playlist with its last `size` segments only, as one that slides would look: `tail` makes the same of both."""
    listed = text.count(_MARK)
    if listed <= size:
        return text
    return f"#EXT-X-MEDIA-SEQUENCE:{dropped(text) + listed - size}\n{_end(text, size)}"


def dropped(text: str) -> int:
    """How many pieces a playlist listed once and does not any more: those that are not recorded slide."""
    found = _FIRST.search(text)
    return int(found[1]) if found else 0


def _end(text: str, entries: int) -> str:
    start = len(text)
    for _ in range(entries):
        start = text.rfind(_MARK, 0, start)
    return text[start:]


def _entries(text: str) -> list[re.Match[str]]:
    """Entries that are complete."""
    return list(_ENTRY.finditer(text))


def _segment(entry: re.Match[str], number: int, discontinuities: int) -> Segment:
    at = datetime.fromisoformat(entry["at"]).astimezone(UTC)
    return Segment(number, entry["name"], int(entry["run"]), float(entry["duration"]), at, discontinuities)


def handed_out(segments: Sequence[Segment]) -> frozenset[str]:
    """Names of the files that listeners may fetch now: the public window, MARGIN segments before it, their inits."""
    newest = segments[-1].number if segments else 0
    recent = [segment for segment in segments if newest - segment.number < WINDOW + MARGIN]
    return frozenset(name for segment in recent for name in (segment.name, init_name(segment.run)))


def window(segments: list[Segment], address: Callable[[str], str], size: int = WINDOW) -> str:
    """The public playlist: the last `size` segments, each at `address(name)`.

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


def _entry(segment: Segment, before: Segment | None, address: Callable[[str], str]) -> list[str]:
    lines = []
    if before is None or before.run != segment.run:
        if before is not None:
            lines.append("#EXT-X-DISCONTINUITY")
        lines.append(f'#EXT-X-MAP:URI="{address(init_name(segment.run))}"')
    at = segment.at.isoformat(timespec="milliseconds").replace("+00:00", "Z")
    return [
        *lines,
        f"#EXT-X-PROGRAM-DATE-TIME:{at}",
        f"#EXTINF:{segment.seconds:.6f},",
        address(segment.name),
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
