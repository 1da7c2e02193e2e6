"""A room's clock for pages and API: as its host is told it, and in full for staff.

The host's says nothing of cases and holds: day 30 until a decision is told, and past the day that was told, kept longer
for review. Staff from whom a fact is hidden read the clock as if there were none, and no less than what everybody reads
on the room's page.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from math import ceil

from django.db.models import QuerySet
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from retention.clocks import clocks, hidden_from, told_clocks
from retention.hooks import hidden_receipts
from retention.models import PurgeReceipt
from retention.policy import Clock, Hold, Reason, ToldClock
from rooms.models import Room

TEXTS: dict[str, str | Promise] = {
    "live": _("The clock starts when the room ends."),
    "review": _("Kept for review until then."),
    "violation": _("A decision found a violation. Kept until then, so that there is time to appeal."),
    "kept_longer": _("Kept longer for review."),
    "case": _("An open case keeps it, until then at the latest."),
    "appeal": _("An open appeal keeps it, until then at the latest."),
    "legal": _("A legal order keeps it until then."),
    "released": _("Nothing keeps it any longer: it is being deleted."),
    "purged": _("Deleted. A receipt says what was deleted, and when."),
}
HOLD_TEXTS: dict[Reason, str | Promise] = {
    Reason.CASE: _("open case"),
    Reason.APPEAL: _("open appeal"),
    Reason.LEGAL: _("legal order"),
}
DAY = timedelta(days=1)


@dataclass(frozen=True)
class RetentionState:
    """Time of the purge, past or to come, and its reason (a key of TEXTS). `at` is None while the room is live and
    where it may not be said; `day` is its date in UTC. `full` is for staff: with all reasons and the `holds`."""

    at: datetime | None
    reason: str | None
    now: datetime
    ended_at: datetime | None = None
    purged: bool = False
    # Of a finished or begun purge. Never show its rule, which may name a secret order.
    receipt: PurgeReceipt | None = None
    full: bool = False
    holds: tuple[Hold, ...] = ()

    @property
    def day(self) -> date | None:
        return None if self.at is None else self.at.astimezone(UTC).date()

    @property
    def due(self) -> bool:
        """Whether the next sweep deletes the copy."""
        return not self.purged and self.at is not None and self.at <= self.now

    @property
    def text(self) -> str | None:
        return None if self.reason is None else str(TEXTS[self.reason])

    def without_reason(self) -> RetentionState:
        """Remove a reason that reveals a violation or an investigation, for readers who may know the time only."""
        return self if self.reason in ("live", "released", "purged") else replace(self, reason=None)

    @property
    def days_left(self) -> int:
        """Days until the purge, a begun day counted whole; 0 where unknown or purged."""
        return 0 if self.at is None or self.purged else max(0, ceil((self.at - self.now) / DAY))


def retention_state(
    room: Room, now: datetime | None = None, *, full: bool = False, reader: int | None = None
) -> RetentionState:
    """Return the retention state of one room, as its host is told it or in full."""
    return retention_states([room], now, full=full, reader=reader)[room.pk]


def retention_states(
    rooms: Iterable[Room], now: datetime | None = None, *, full: bool = False, reader: int | None = None
) -> dict[int, RetentionState]:
    """Return the retention states of many rooms, by key; in full for a `reader` (the key of the account), without what
    is hidden from them. The number of queries does not grow with the rooms."""
    now = now or timezone.now()
    rooms = list(rooms)
    ends = {room.pk: room.over_at for room in rooms if room.purged_at is None and room.over_at is not None}
    running = told_clocks(ends, now)
    hides = full and reader is not None and bool(hidden_from(reader, list(ends)))
    seen = clocks(ends, now, reader) if hides else {}
    purged = [room.pk for room in rooms if room.purged_at is not None]
    # Without `files`, which is long.
    receipts = PurgeReceipt.objects.filter(room__in=purged).only("room", "digest", "file_count", "total_bytes")
    by_room = {receipt.room: receipt for receipt in receipts} if purged else {}
    states = {}
    for room in rooms:
        if room.purged_at is not None:
            receipt = by_room.get(room.pk)
            states[room.pk] = RetentionState(
                room.purged_at, "purged", now, room.over_at, purged=True, receipt=receipt, full=full
            )
        elif room.pk not in running:
            states[room.pk] = RetentionState(None, "live", now, full=full)
        else:
            clock, told = running[room.pk]
            shown = seen_state(room, clock, told, seen.get(room.pk, clock)) if full else told_state(room, told, now)
            states[room.pk] = shown
    return states


def seen_state(room: Room, clock: Clock, told: ToldClock, seen: Clock) -> RetentionState:
    """Build the state for staff who know what `seen` was computed from. Beyond that they read what everybody reads on
    the room's page: that it is being deleted, a day that was told, that it is kept though its day is over."""
    if clock.due or clock == seen:
        return full_state(room, clock)
    everybody_s = told_state(room, told, clock.now).without_reason()
    if seen.due:
        return everybody_s
    if told.purge_at is not None and told.purge_at > seen.purge_at:
        return replace(everybody_s, full=True, holds=seen.held_by)
    return full_state(room, seen)


def full_state(room: Room, clock: Clock) -> RetentionState:
    """Build the state that staff see."""
    reason = "released" if clock.due else str(clock.reason)
    return RetentionState(clock.purge_at, reason, clock.now, room.over_at, full=True, holds=clock.held_by)


def told_state(room: Room, told: ToldClock, now: datetime) -> RetentionState:
    """Build the state that the host is told."""
    reason = "kept_longer" if told.reason is None else str(told.reason)
    return RetentionState(told.purge_at, reason, now, room.over_at)


def visible_receipts(reader: int, rows: QuerySet[PurgeReceipt]) -> QuerySet[PurgeReceipt]:
    """Select those of these receipts that a person may read, by the key of the account."""
    for source in hidden_receipts.values():
        rows = rows.exclude(source(reader))
    return rows
