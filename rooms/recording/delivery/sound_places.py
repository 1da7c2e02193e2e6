"""The places of sound in an MP4 file: which range of time some of its bytes hold."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import av

FILES = 8  # whose places are kept: 1 to 5 MB for a room of three hours


@dataclass(frozen=True)
class SoundPlaces:
    """For each packet of sound, in order: where its bytes begin and end in the file, and when it begins, in ms.
    `ends_ms` is the end of the last."""

    begins: tuple[int, ...]
    stops: tuple[int, ...]
    starts_ms: tuple[int, ...]
    ends_ms: int

    def between(self, start: int, stop: int) -> tuple[int, int] | None:
        """Return the range of time, in ms, of which there is sound in the bytes from `start` up to, not including,
        `stop`; None where they hold none."""
        first, after = bisect_right(self.stops, start), bisect_left(self.begins, stop)
        if first >= after:
            return None
        return self.starts_ms[first], self.starts_ms[after] if after < len(self.starts_ms) else self.ends_ms


@lru_cache(maxsize=FILES)
def sound_places(file: Path, etag: str) -> SoundPlaces:
    """Read the places from the header of a file with one stream of sound; `etag` names its content."""
    with av.open(str(file)) as source:
        stream = source.streams.audio[0]
        assert stream.time_base is not None
        second = float(stream.time_base) * 1000
        rows = [(entry.pos, entry.size, entry.timestamp) for entry in stream.index_entries]
        length = (stream.duration or 0) + (stream.start_time or 0)
    return SoundPlaces(
        begins=tuple(pos for pos, _size, _at in rows),
        stops=tuple(pos + size for pos, size, _at in rows),
        starts_ms=tuple(max(0, round(at * second)) for _pos, _size, at in rows),
        ends_ms=round(length * second),
    )
