"""Rules of evidence: pure functions of ranges of room time, in milliseconds."""

from __future__ import annotations

from collections.abc import Iterable

Range = tuple[int, int]
MINUTE_MS = 60_000


def within_room(from_ms: int | None, to_ms: int | None, *, room_ms: int) -> Range | None:
    """Limit a range to a room that is `room_ms` long; None where nothing of it is left."""
    if from_ms is None or to_ms is None:
        return None
    start, end = max(0, from_ms), min(to_ms, room_ms)
    return (start, end) if start < end else None


def overlaps(one: Range, others: Iterable[Range]) -> bool:
    """Whether a range has a millisecond in common with one of the others."""
    return any(one[0] < end and start < one[1] for start, end in others)


def entered_until(ms: int, room_ms: int) -> int:
    """Return up to when the ledger says that sound was sent, once it was up to `ms`: the end of that minute, or of the
    room. So an hour of listening is an entry a minute, each written before its minute is heard."""
    return min(-(-ms // MINUTE_MS) * MINUTE_MS, room_ms)
