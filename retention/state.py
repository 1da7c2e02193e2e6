"""The public form of a room's clock, for pages and API: a day and a reason, and nothing about who reported whom."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from math import ceil

from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from retention.clocks import clocks
from retention.models import PurgeReceipt
from retention.policy import Clock, Reason
from rooms.models import Room

TEXTS: dict[str, str | Promise] = {
    "live": _("The clock starts when the room ends."),
    "review": _("Kept for review until then."),
    "violation": _("A decision found a violation. Kept until then, so that there is time to appeal."),
    "looked_at": _("Kept longer, because somebody is looking into it."),
    "appeal": _("Kept until the appeal is decided."),
    "released": _("Nothing keeps it any longer: it is being deleted."),
    "purged": _("Deleted. A receipt says what was deleted, and when."),
}
# The key in TEXTS for each reason. Case and legal order share one text: a legal order may be secret.
SHOWN_REASONS = {
    Reason.REVIEW: "review",
    Reason.VIOLATION: "violation",
    Reason.CASE: "looked_at",
    Reason.LEGAL: "looked_at",
    Reason.APPEAL: "appeal",
    Reason.RELEASED: "released",
}
DAY = timedelta(days=1)


@dataclass(frozen=True)
class RetentionState:
    """Time of the purge, past or to come, and its reason. `at` is None while unknown; `day` is its date in UTC."""

    at: datetime | None
    reason: str | None
    now: datetime
    ended_at: datetime | None = None
    purged: bool = False
    # Of a finished or begun purge. Never show its rule, which may name a secret order.
    receipt: PurgeReceipt | None = None

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

    @property
    def days(self) -> int:
        """Days from the end of the room to the purge, rounded up; 0 where unknown."""
        return 0 if self.at is None or self.ended_at is None else ceil((self.at - self.ended_at) / DAY)

    @property
    def days_past(self) -> int:
        return max(0, self.days - self.days_left)


def retention_state(room: Room, now: datetime | None = None) -> RetentionState:
    """Return the retention state of one room."""
    return retention_states([room], now)[room.pk]


def retention_states(rooms: Iterable[Room], now: datetime | None = None) -> dict[int, RetentionState]:
    """Return the retention states of many rooms, by key. The number of queries does not grow with the rooms."""
    now = now or timezone.now()
    rooms = list(rooms)
    ends = {room.pk: room.over_at for room in rooms if room.purged_at is None and room.over_at is not None}
    running = clocks(ends, now)
    purged = [room.pk for room in rooms if room.purged_at is not None]
    # Without `files`, which is long.
    receipts = PurgeReceipt.objects.filter(room__in=purged).only("room", "digest", "file_count", "total_bytes")
    by_room = {receipt.room: receipt for receipt in receipts} if purged else {}
    return {room.pk: state_of(room, running.get(room.pk), by_room.get(room.pk), now) for room in rooms}


def state_of(room: Room, clock: Clock | None, receipt: PurgeReceipt | None, now: datetime) -> RetentionState:
    """Build the state from a room, its clock and its receipt. The time of a case or legal order is not shown."""
    if room.purged_at is not None:
        return RetentionState(room.purged_at, "purged", now, room.over_at, purged=True, receipt=receipt)
    if clock is None:
        return RetentionState(None, "live", now)
    reason = "released" if clock.due else SHOWN_REASONS[clock.reason]
    return RetentionState(None if reason == "looked_at" else clock.purge_at, reason, now, room.over_at)
