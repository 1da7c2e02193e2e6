"""Retention policy, as a pure function: how long a room's full copy is kept, and why.

30 days of 24 hours, in UTC, from the end; 90 where a violation stands, so that the person concerned can appeal. Holds
keep it longer. The clock has no state of its own: it is computed from findings and holds each time, so that undoing one
undoes its effect and nothing else.

The host is told less (`told_clock`): nothing of cases, holds, and findings that nobody was told of yet.
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
    """Retention periods in days of 24 hours from the end of the room: `0 < review_days <= violation_days <=
    appeal_days`. The last is how long an open appeal keeps the copy at most."""

    review_days: int = 30
    violation_days: int = 90
    appeal_days: int = 180

    def __post_init__(self) -> None:
        if not 0 < self.review_days <= self.violation_days <= self.appeal_days:
            raise ValueError("a copy is kept at least a day, and not shorter for a violation or an appeal")


@dataclass(frozen=True)
class Finding:
    """A violation, decided or `proposed` (and then waiting for a second moderator until it lapses, `lapses_at`).

    `since` is when it was decided or proposed, also once the proposal was approved; `until` when it was overturned,
    turned down or lapsed, None while it stands. `told_at` is when the statement of reasons went out: until then the
    host's clock does not know it.
    """

    ref: str
    since: datetime
    until: datetime | None = None
    proposed: bool = False
    told_at: datetime | None = None

    def __post_init__(self) -> None:
        if self.proposed and self.told_at is not None:
            raise ValueError("nobody is told of a proposal")


@dataclass(frozen=True)
class Hold:
    """A case, appeal or legal order that needs the copy as evidence.

    A case holds until decided, at most for the violation period; an appeal until decided, at most to `appeal_days`:
    both are then decided on the record. A legal order holds until it expires or is lifted, whichever is earlier.
    `until` is None while the end is not known.
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

    @property
    def number(self) -> str:
        """Return the number of the case, appeal or order, for people."""
        return self.ref.rpartition(":")[2]


@dataclass(frozen=True)
class Clock:
    """Time of the purge, as late as it may be by what is known now, the reason for it, and the holds at `now`."""

    purge_at: datetime
    reason: Reason
    held_by: tuple[Hold, ...]
    now: datetime

    @property
    def due(self) -> bool:
        """Whether the purge is due. From then on no new hold counts: later cases are decided without the copy."""
        return self.purge_at <= self.now

    def overdue(self, tolerance: timedelta) -> bool:
        """Whether the purge has been due for longer than `tolerance`."""
        return self.purge_at + tolerance < self.now


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
    ends: list[tuple[datetime, Hold]] = []
    for hold in holds:
        if utc(hold.since) <= now:
            end = ends_at(hold, ended_at, rules)
            if end > now:
                ends.append((end, hold))
            else:
                released.append(end)
    if released and max(released) > purge_at:
        purge_at, reason = max(released), Reason.RELEASED
    held_by = tuple(sorted((hold for _end, hold in ends), key=lambda hold: (utc(hold.since), hold.kind, hold.ref)))
    for end, hold in sorted(ends, key=lambda pair: (pair[0], pair[1].kind, pair[1].ref)):
        if end > purge_at:
            purge_at, reason = end, hold.kind
    return Clock(purge_at, reason, held_by, now)


def ends_at(hold: Hold, ended_at: datetime, rules: Rules) -> datetime:
    """Return when a hold on a room that ended at `ended_at` ends at the latest, by what is known."""
    days = {Reason.CASE: rules.violation_days, Reason.APPEAL: rules.appeal_days}
    last = utc(ended_at) + timedelta(days=days[hold.kind]) if hold.kind in days else None
    until = None if hold.until is None else utc(hold.until)
    if last is None or until is None:
        end = last or until
        assert end is not None  # a legal hold has an expiry
        return end
    return min(until, last)


def lapses_at(ended_at: datetime, rules: Rules | None = None) -> datetime:
    """Return when a proposed finding on a room lapses: it keeps the copy no longer than a violation would."""
    return utc(ended_at) + timedelta(days=(rules or Rules()).violation_days)


@dataclass(frozen=True)
class ToldClock:
    """A clock as the host and those who spoke are told of it. `purge_at` is None past the day that they were told:
    the copy is kept longer for review, and neither why nor until when is said."""

    purge_at: datetime | None
    reason: Reason | None


def told_clock(
    full: Clock, ended_at: datetime, findings: Iterable[Finding] = (), rules: Rules | None = None
) -> ToldClock:
    """Reduce a room's clock to what people are told: only findings of which a statement went out, and no holds.

    `findings` are all of the room's. A copy that is due is said to be so, whatever kept it.
    """
    if full.due:
        return ToldClock(full.purge_at, Reason.RELEASED)
    known = [finding for finding in findings if finding.told_at is not None and utc(finding.told_at) <= full.now]
    told = clock(ended_at, full.now, known, rules=rules)
    return ToldClock(None, None) if told.due else ToldClock(told.purge_at, told.reason)


def utc(moment: datetime) -> datetime:
    """Convert an aware datetime to UTC. Raises ValueError for a naive one."""
    if moment.tzinfo is None or moment.utcoffset() is None:
        raise ValueError("a time needs its zone")
    return moment.astimezone(UTC)
