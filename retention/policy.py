"""Retention policy, as a pure function: how long a room's full copy is kept, and why.

30 days of 24 hours, in UTC, from the end; 90 where a violation stands, so that the person concerned can appeal. Holds
keep it longer. The clock has no state of its own: it is computed from findings and holds each time, so that undoing one
undoes its effect and nothing else.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum


class Reason(StrEnum):
    """Reason for the date of a purge. The first two are rules, the next three holds."""

    REVIEW = "review"
    VIOLATION = "violation"
    CASE = "case"
    APPEAL = "appeal"
    LEGAL = "legal"
    RELEASED = "released"  # the last finding or hold ended after the rule's own date: purge now


HOLDS = frozenset({Reason.CASE, Reason.APPEAL, Reason.LEGAL})


@dataclass(frozen=True)
class Rules:
    """Retention periods in days of 24 hours from the end of the room: `0 < review_days <= violation_days`."""

    review_days: int = 30
    violation_days: int = 90

    def __post_init__(self) -> None:
        if not 0 < self.review_days <= self.violation_days:
            raise ValueError("a copy is kept at least a day, and not shorter for a violation")


@dataclass(frozen=True)
class Finding:
    """A violation, decided or proposed (and then waiting for a second moderator).

    `since` is when it was decided or proposed; `until` when it was overturned or rejected, None while it stands.
    """

    ref: str
    since: datetime
    until: datetime | None = None


@dataclass(frozen=True)
class Hold:
    """A case, appeal or legal order that needs the copy as evidence.

    A case holds until decided, at most for the violation period. An appeal holds until decided. A legal order holds
    until it expires or is lifted, whichever is earlier. `until` is None while the end is not known.
    """

    kind: Reason
    ref: str
    since: datetime
    until: datetime | None = None

    def __post_init__(self) -> None:
        if self.kind not in HOLDS:
            raise ValueError(f"{self.kind} is no hold")
        if self.kind is Reason.LEGAL and self.until is None:
            raise ValueError("a legal hold has an expiry")


@dataclass(frozen=True)
class Clock:
    """Time of the purge (None: unknown until an appeal is decided), the reason for it, and the holds at `now`."""

    purge_at: datetime | None
    reason: Reason
    held_by: tuple[Hold, ...]
    now: datetime

    @property
    def due(self) -> bool:
        """Whether the purge is due. From then on no new hold counts: later cases are decided without the copy."""
        return self.purge_at is not None and self.purge_at <= self.now

    def overdue(self, tolerance: timedelta) -> bool:
        """Whether the purge has been due for longer than `tolerance`."""
        return self.purge_at is not None and self.purge_at + tolerance < self.now


def clock(
    ended_at: datetime,
    now: datetime,
    findings: Iterable[Finding] = (),
    holds: Iterable[Hold] = (),
    rules: Rules | None = None,
) -> Clock:
    """Compute the clock of a room that ended at `ended_at`, as of `now`.

    Pass ended findings and holds too: a copy that they kept past its date is due when the last of them ended. Those
    that begin after `now` do not count. Raises ValueError for a naive datetime.
    """
    ended_at, now = utc(ended_at), utc(now)
    rules = rules or Rules()
    # In UTC a day has 24 hours; adding days to a local time would lose or gain one when summer time changes.
    first = ended_at + timedelta(days=rules.review_days)
    last = ended_at + timedelta(days=rules.violation_days)
    known = [finding for finding in findings if utc(finding.since) <= now]
    standing = any(finding.until is None or utc(finding.until) > now for finding in known)
    purge_at, reason = (last, Reason.VIOLATION) if standing else (first, Reason.REVIEW)
    released = [min(utc(finding.until), last) for finding in known if finding.until and utc(finding.until) <= now]
    ends: list[tuple[datetime | None, Hold]] = []
    for hold in holds:
        if utc(hold.since) <= now:
            end = ends_at(hold, last)
            if end is None or end > now:
                ends.append((end, hold))
            else:
                released.append(end)
    if released and max(released) > purge_at:
        purge_at, reason = max(released), Reason.RELEASED
    held_by = tuple(sorted((hold for _end, hold in ends), key=lambda hold: (utc(hold.since), hold.kind, hold.ref)))
    forever = [hold for end, hold in ends if end is None]
    if forever:
        return Clock(None, min(forever, key=lambda hold: hold.kind).kind, held_by, now)
    for end, hold in sorted(ends, key=lambda pair: (pair[0] or last, pair[1].kind, pair[1].ref)):
        if end is not None and end > purge_at:
            purge_at, reason = end, hold.kind
    return Clock(purge_at, reason, held_by, now)


def ends_at(hold: Hold, last: datetime) -> datetime | None:
    """Return when a hold ends, None while unknown. `last` is the latest end of a case."""
    until = None if hold.until is None else utc(hold.until)
    if hold.kind is Reason.CASE:
        return last if until is None else min(until, last)
    return until


def utc(moment: datetime) -> datetime:
    """Convert an aware datetime to UTC. Raises ValueError for a naive one."""
    if moment.tzinfo is None or moment.utcoffset() is None:
        raise ValueError("a time needs its zone")
    return moment.astimezone(UTC)
