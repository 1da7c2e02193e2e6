"""HTTP ranges (RFC 9110, section 14): which bytes of a thing of known size were asked for. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass

_ONE = re.compile(r"\s*(\d{1,18})?\s*-\s*(\d{1,18})?\s*")


class Unsatisfiable(Exception):
    """The range lies behind the end: 416."""


@dataclass(frozen=True)
class Range:
    """From `start` up to, not including, `stop`."""

    start: int
    stop: int

    def header(self, size: int) -> str:
        """Content-Range."""
        return f"bytes {self.start}-{self.stop - 1}/{size}"


def asked(header: str | None, size: int) -> Range | None:
    """The range a request wants; None for all of it. Raises Unsatisfiable.

    What cannot be read, other units and several ranges at once get all of it, as the standard allows: several ranges
    cost a server more than they bring a player.
    """
    unit, equals, ranges = (header or "").partition("=")
    if not equals or unit.strip().lower() != "bytes":
        return None
    found = _ONE.fullmatch(ranges)
    if found is None or (found[1] is None and found[2] is None):
        return None
    if found[1] is None:
        start, stop = max(0, size - int(found[2])), size
    else:
        start = int(found[1])
        if found[2] is not None and int(found[2]) < start:
            return None
        stop = size if found[2] is None else min(size, int(found[2]) + 1)
    if start >= stop:
        raise Unsatisfiable
    return Range(start, stop)


def still_same(if_range: str | None, etag: str) -> bool:
    """Whether a range may be answered at all: yes without If-Range, else only for this very entity tag.

    A weak tag or a date never matches: we give strong tags and no dates.
    """
    return if_range is None or if_range.strip() == etag
