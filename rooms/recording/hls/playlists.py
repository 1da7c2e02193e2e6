"""HLS playlists: the private ones that ffmpeg writes are the recording; the public one shows its end. Pure.

Each start of the recorder (a *run*) has a playlist of its own. ffmpeg could append to an older one, but it rewrites the
whole file each second: a restart at the wrong moment, or a full disk, would lose the list of all earlier segments.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

_MARK = "#EXTINF:"
WINDOW = 8  # segments in the public playlist
# Segments that are served although the playlist does not list them any more: a player acts on a list that is a second
# or two old, and a slow one is still fetching its oldest segment.
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
    """One segment of sound. `run` counts ffmpeg's starts; `number` is the position in the whole recording, from 0."""

    number: int
    name: str
    run: int
    seconds: float
    at: datetime
    discontinuities: int

    @property
    def end(self) -> datetime:
        """Time of its last sample."""
        return self.at + timedelta(seconds=self.seconds)


def list_name(run: int) -> str:
    """File name of a run's playlist."""
    return f"{run}.m3u8"


def init_name(run: int) -> str:
    """File name of a run's init segment."""
    return f"{run}-init.mp4"


def parse(texts: Sequence[str]) -> list[Segment]:
    """Parse the playlists of a recording's runs, in order, into its segments, oldest first."""
    segments: list[Segment] = []
    breaks = 0
    for text in texts:
        entries = _entries(text)
        segments += [_segment(entry, len(segments) + place, breaks) for place, entry in enumerate(entries)]
        breaks += bool(entries)
    return segments


def tail(texts: Sequence[str], size: int = WINDOW) -> list[Segment]:
    """The last `size` segments only, numbered as by `parse`: the playlists of hours must not be parsed every second."""
    listed = [text.count(_MARK) for text in texts]
    counts = [dropped(text) + count for text, count in zip(texts, listed, strict=True)]
    segments: list[Segment] = []
    for place in reversed(range(len(texts))):
        wanted = min(size - len(segments), listed[place])
        breaks = sum(count > 0 for count in counts[:place])
        first = sum(counts[: place + 1]) - wanted
        entries = _entries(_end(texts[place], wanted)) if wanted else []
        segments[:0] = [_segment(entry, first + number, breaks) for number, entry in enumerate(entries)]
    return segments


def shortened(text: str, size: int) -> str:
    """Cut a playlist to its last `size` segments, in the form of a sliding playlist; `tail` gives the same for both."""
    listed = text.count(_MARK)
    if listed <= size:
        return text
    return f"#EXT-X-MEDIA-SEQUENCE:{dropped(text) + listed - size}\n{_end(text, size)}"


def dropped(text: str) -> int:
    """Number of segments that a playlist no longer lists; playlists in memory slide."""
    match = _FIRST.search(text)
    return int(match[1]) if match else 0


def _end(text: str, entries: int) -> str:
    start = len(text)
    for _ in range(entries):
        start = text.rfind(_MARK, 0, start)
    return text[start:]


def _entries(text: str) -> list[re.Match[str]]:
    """Complete entries of a playlist."""
    return list(_ENTRY.finditer(text))


def _segment(entry: re.Match[str], number: int, discontinuities: int) -> Segment:
    at = datetime.fromisoformat(entry["at"]).astimezone(UTC)
    return Segment(number, entry["name"], int(entry["run"]), float(entry["duration"]), at, discontinuities)


def handed_out(segments: Sequence[Segment]) -> frozenset[str]:
    """Names of the files that listeners may fetch: the public window, MARGIN segments before it, their init files."""
    newest = segments[-1].number if segments else 0
    recent = [segment for segment in segments if newest - segment.number < WINDOW + MARGIN]
    return frozenset(name for segment in recent for name in (segment.name, init_name(segment.run)))


def public_playlist(segments: list[Segment], address: Callable[[str], str], size: int = WINDOW) -> str:
    """Write the public playlist: the last `size` segments, each at `address(name)`.

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
