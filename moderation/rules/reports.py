"""Rules of reports: pure functions. Each returns a refusal code, or None for yes."""

from __future__ import annotations

LONGEST_MS = 10 * 60 * 1000  # of one report; a longer one is several reports


def may_report(*, kept_out: str | None, started: bool, purged: bool) -> str | None:
    """Reporting something that happened in a room: everybody, with an account or without, admitted to it or not.

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


def may_answer(*, reporter: int | None, who: int | None, asked: bool, waiting: int, is_open: bool) -> str | None:
    """Answering a moderator's question. `reporter` and `who` are keys of accounts, None for signed out; `waiting` is
    how many answers came since the last question."""
    if reporter != who:
        return "not_allowed"
    if not is_open:
        return "case_closed"
    if not asked:
        return "not_asked"
    return "too_many_answers" if waiting >= MOST_ANSWERS else None


def may_ask(*, claimed: bool, is_open: bool, asked: int) -> str | None:
    """Asking a reporter: whoever works on the case, `asked` times before."""
    if not is_open:
        return "case_closed"
    if not claimed:
        return "not_allowed"
    return "too_many_questions" if asked >= MOST_QUESTIONS else None


MOST_ANSWERS = 3  # in a row
MOST_QUESTIONS = 20  # on one report
