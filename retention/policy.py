"""The rule of the house about time, as a pure function: how long a room's full copy is kept, and why.

30 days of 24 hours, in UTC, from the end; 90 where a violation stands, so that the person concerned can appeal. Holds
keep it longer. The clock is computed from facts and never stepped, so that undoing a fact undoes its effect and
nothing else.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum


class Reason(StrEnum):
    """Why a copy is kept until its day. The first two are rules, the next three holds."""

    REVIEW = "review"
    VIOLATION = "violation"
    CASE = "case"
    APPEAL = "appeal"
    LEGAL = "legal"
    RELEASED = "released"  # what kept it longer has ended, and the rule's own day was before that


HOLDS = frozenset({Reason.CASE, Reason.APPEAL, Reason.LEGAL})


@dataclass(frozen=True)
class Rules:
    """Days (of 24 hours) from the end of the room."""

    review_days: int = 30
    violation_days: int = 90

    def __post_init__(self) -> None:
        if not 0 < self.review_days <= self.violation_days:
            raise ValueError("a copy is kept at least a day, and not shorter for a violation")


@dataclass(frozen=True)
class Finding:
    """A violation: from when it was decided or, waiting for its second moderator, proposed.

    `until` is when it was overturned, or the proposal turned down; None as long as it stands.
    """

    ref: str
    since: datetime
    until: datetime | None = None


@dataclass(frozen=True)
class Hold:
    """Something that must not lose its evidence.

    A case: until decided, at most to the violation's day. An appeal: until decided. A legal order: until it expires,
    or is lifted (`until` says the earlier). `until` is None as long as the end is not known.
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
    """When the copy is purged (None: when an appeal is decided), why then, and what holds it at this moment."""

    purge_at: datetime | None
    reason: Reason
    held_by: tuple[Hold, ...]
    now: datetime

    @property
    def due(self) -> bool:
        """Its time has come. From here on no new hold counts: what is filed later is decided on the record."""
        return self.purge_at is not None and self.purge_at <= self.now

    def overdue(self, tolerance: timedelta) -> bool:
        """Its time came longer ago than the sweep is allowed to take."""
        return self.purge_at is not None and self.purge_at + tolerance < self.now


def clock(
    ended_at: datetime,
    now: datetime,
    findings: Iterable[Finding] = (),
    holds: Iterable[Hold] = (),
    rules: Rules | None = None,
) -> Clock:
    """The clock of a room that ended then, as it stands now, from everything that was found and everything that holds.

    Ended findings and holds belong to it too: what they kept was right to be there until they ended. Facts from after
    `now` do not count. Raises ValueError for a time without a zone: it could be hours off.
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
    """When a hold ends; None while nobody can know. `last` is the day that no case goes beyond."""
    until = None if hold.until is None else utc(hold.until)
    if hold.kind is Reason.CASE:
        return last if until is None else min(until, last)
    return until


def utc(moment: datetime) -> datetime:
    """The moment in UTC."""
    if moment.tzinfo is None or moment.utcoffset() is None:
        raise ValueError("a time needs its zone")
    return moment.astimezone(UTC)
