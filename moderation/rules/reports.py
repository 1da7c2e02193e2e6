"""Rules of reports: pure functions. Each returns a refusal code, or None for yes."""

from __future__ import annotations

LONGEST_MS = 10 * 60 * 1000  # of one report; a longer one is several reports


def may_report(*, kept_out: str | None, started: bool, purged: bool) -> str | None:
    """Reporting something in a room: every account, whether or not the room admits it.

    `kept_out` is the refusal code of the account itself. Being put out must not end the right to report, and a listener
    leaves no row by which one who was there could be told from one who was not. A refusal by the room would also tell
    people who were never invited from those who are blocked.
    """
    if kept_out is not None:
        return kept_out
    if not started:
        return "unknown_room"
    return "copy_gone" if purged else None


def clamped_range(from_ms: int, to_ms: int, *, room_ms: int) -> tuple[int, int] | None:
    """Limit a range to a room that is `room_ms` long; None where nothing of it is left, or it exceeds LONGEST_MS."""
    start, end = max(0, from_ms), min(to_ms, room_ms)
    return (start, end) if start < end <= start + LONGEST_MS else None
