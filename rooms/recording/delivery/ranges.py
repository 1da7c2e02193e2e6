"""HTTP range requests (RFC 9110, section 14). Pure.

Answers are the same as those of nginx in production: tests/deploy/test_ranges.py compares them.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

_UNIT = "bytes="
_ONE = re.compile(r" *(?:([0-9]+) *- *([0-9]*)|-([0-9]+)) *")
_LONGEST = 200  # characters; Python refuses to parse numbers of thousands of digits
_LARGEST = 2**63 - 1  # as in nginx


class Unsatisfiable(Exception):
    """The range lies behind the end, or is malformed: 416."""


@dataclass(frozen=True)
class Range:
    """Bytes from `start` up to, not including, `stop`."""

    start: int
    stop: int

    def header(self, size: int) -> str:
        """Value of the header Content-Range; `size` is that of the whole, in bytes."""
        return f"bytes {self.start}-{self.stop - 1}/{size}"


def parse_range(header: str | None, size: int) -> Range | None:
    """Range that a request wants; None for everything. Raises Unsatisfiable, also for a malformed range.

    Other units, several ranges at once and any part of an empty file get everything, as the standard allows: several
    ranges cost a server more than they bring a player.
    """
    if header is None or header[: len(_UNIT)].lower() != _UNIT or len(header) == len(_UNIT):
        return None
    wanted: list[Range] = []
    for part in header[len(_UNIT) :].split(","):
        start, stop = _bounds(part, size)
        if start < stop:
            wanted.append(Range(start, stop))
        if len(wanted) > 1 or (start >= stop and start == 0):
            return None
    if not wanted:
        raise Unsatisfiable
    return wanted[0]


def _bounds(part: str, size: int) -> tuple[int, int]:
    """Start and stop of one range, cut off at the end; raises Unsatisfiable for a malformed one."""
    match = _ONE.fullmatch(part)
    if match is None or len(part) > _LONGEST:
        raise Unsatisfiable
    numbers = [int(text) for text in match.groups() if text]
    if max(numbers) > _LARGEST:
        raise Unsatisfiable
    if match[3] is not None:
        return max(0, size - numbers[0]), size
    return numbers[0], size if not match[2] else min(size, numbers[1] + 1)


def if_range_matches(if_range: str | None, etag: str) -> bool:
    """Whether a range may be answered: without If-Range always, else only for this entity tag.

    A weak tag or a date never matches: this site gives strong tags and no dates.
    """
    return if_range is None or if_range.strip() == etag
