"""The places of sound in an MP4 file: which range of time some of its bytes hold, to the second."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

FILES = 16  # whose places are kept; those of a room of three hours take about 1 MB
STEP_MS = 1000


@dataclass(frozen=True)
class SoundPlaces:
    """For each second of sound, in order: where its bytes begin and end in the file, and when it begins, in ms.
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
    """Read the places from the header of a file with one stream of sound; `etag` names its content. Raises OSError
    where there is no such file, av.FFmpegError (ValueError or OSError) for another kind of file."""
    import av  # a library for sound, which most processes do without

    seconds: list[tuple[int, int, int]] = []  # begin, stop, start in ms
    with av.open(str(file)) as source:
        stream = source.streams.audio[0]
        assert stream.time_base is not None
        unit_ms = float(stream.time_base) * 1000
        for entry in stream.index_entries:
            at_ms = max(0, round(entry.timestamp * unit_ms))
            if seconds and at_ms // STEP_MS == seconds[-1][2] // STEP_MS:
                begin, _stop, start_ms = seconds[-1]
                seconds[-1] = begin, entry.pos + entry.size, start_ms
            else:
                seconds.append((entry.pos, entry.pos + entry.size, at_ms))
        length = (stream.duration or 0) + (stream.start_time or 0)
    begins, stops, starts_ms = zip(*seconds, strict=True) if seconds else ((), (), ())
    return SoundPlaces(begins, stops, starts_ms, round(length * unit_ms))
