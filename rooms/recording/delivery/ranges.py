"""HTTP ranges (RFC 9110, section 14): which bytes of a thing of known size were asked for. Pure.

What nginx sends in production and what we send ourselves answer the same: tests/deploy/test_ranges.py compares them.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

_UNIT = "bytes="
_ONE = re.compile(r" *(?:([0-9]+) *- *([0-9]*)|-([0-9]+)) *")
_LONGEST = 200  # letters; Python turns no number of thousands of digits into one
_LARGEST = 2**63 - 1  # what nginx counts with


class Unsatisfiable(Exception):
    """The range lies behind the end, or is none: 416."""


@dataclass(frozen=True)
class Range:
    """From `start` up to, not including, `stop`."""

    start: int
    stop: int

    def header(self, size: int) -> str:
        """Content-Range."""
        return f"bytes {self.start}-{self.stop - 1}/{size}"


def asked(header: str | None, size: int) -> Range | None:
    """The range a request wants; None for all of it. Raises Unsatisfiable, also for what cannot be read.

    Other units, several ranges at once and any part of nothing get all of it, as the standard allows: several ranges
    cost a server more than they bring a player.
    """
    if header is None or header[: len(_UNIT)].lower() != _UNIT or len(header) == len(_UNIT):
        return None
    wanted: list[Range] = []
    for part in header[len(_UNIT) :].split(","):
        start, stop = _read(part, size)
        if start < stop:
            wanted.append(Range(start, stop))
        if len(wanted) > 1 or (start >= stop and start == 0):
            return None
    if not wanted:
        raise Unsatisfiable
    return wanted[0]


def _read(part: str, size: int) -> tuple[int, int]:
    """From and up to where one range goes, cut off at the end; raises Unsatisfiable for what is no range."""
    found = _ONE.fullmatch(part)
    if found is None or len(part) > _LONGEST:
        raise Unsatisfiable
    numbers = [int(text) for text in found.groups() if text]
    if max(numbers) > _LARGEST:
        raise Unsatisfiable
    if found[3] is not None:
        return max(0, size - numbers[0]), size
    return numbers[0], size if not found[2] else min(size, numbers[1] + 1)


def still_same(if_range: str | None, etag: str) -> bool:
    """Whether a range may be answered at all: yes without If-Range, else only for this very entity tag.

    A weak tag or a date never matches: we give strong tags and no dates.
    """
    return if_range is None or if_range.strip() == etag
