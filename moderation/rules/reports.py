"""Rules of reports: pure functions. Each returns a refusal code, or None for yes."""

from __future__ import annotations

LONGEST_MS = 10 * 60 * 1000  # of one report; a longer one is several reports


def may_report(*, kept_out: str | None, started: bool, purged: bool, admitted: bool, was_here: bool) -> str | None:
    """Reporting something in a room: people who may enter it, were in it, or may hear it again.

    `kept_out` is the refusal code of the account itself. A person who was removed or blocked counts as having been
    there (`was_here`): being put out must not end the right to report.
    """
    if kept_out is not None:
        return kept_out
    if not started:
        return "unknown_room"
    if not (admitted or was_here):
        return "not_allowed"
    return "copy_gone" if purged else None


def clamped_range(from_ms: int, to_ms: int, *, room_ms: int) -> tuple[int, int] | None:
    """Limit a range to a room that is `room_ms` long; None where nothing of it is left, or it exceeds LONGEST_MS."""
    start, end = max(0, from_ms), min(to_ms, room_ms)
    return (start, end) if start < end <= start + LONGEST_MS else None
