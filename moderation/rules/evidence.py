"""Rules of evidence: pure functions of ranges of room time, in milliseconds."""

from __future__ import annotations

from collections.abc import Iterable

Range = tuple[int, int]


def within_room(from_ms: int | None, to_ms: int | None, *, room_ms: int) -> Range | None:
    """Limit a range to a room that is `room_ms` long; None where nothing of it is left."""
    if from_ms is None or to_ms is None:
        return None
    start, end = max(0, from_ms), min(to_ms, room_ms)
    return (start, end) if start < end else None


def overlaps(one: Range, others: Iterable[Range]) -> bool:
    """Whether a range has a millisecond in common with one of the others."""
    return any(one[0] < end and start < one[1] for start, end in others)
