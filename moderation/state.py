"""A room's clock as people are told it: a day and a reason, and nothing about who reported whom."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime

from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from moderation.clocks import clock_of
from moderation.policy import Clock, Reason
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
# Hosts are told that somebody looks into it, not whether that is a moderator or an authority: an order may be secret.
TOLD = {
    Reason.REVIEW: "review",
    Reason.VIOLATION: "violation",
    Reason.CASE: "looked_at",
    Reason.LEGAL: "looked_at",
    Reason.APPEAL: "appeal",
    Reason.RELEASED: "released",
}


@dataclass(frozen=True)
class RetentionState:
    """`at` is when the copy goes, or went (None: not known yet); `day` the same as a date in UTC."""

    at: datetime | None
    reason: str
    purged: bool = False

    @property
    def day(self) -> date | None:
        return None if self.at is None else self.at.astimezone(UTC).date()

    @property
    def text(self) -> str:
        return str(TEXTS[self.reason])


def retention_state(room: Room, now: datetime | None = None) -> RetentionState:
    """What its host is told about how long the copy of this room is kept."""
    if room.purged_at is not None:
        return RetentionState(room.purged_at, "purged", purged=True)
    found = clock_of(room, now or timezone.now())
    return RetentionState(None, "live") if found is None else told(found)


def told(clock: Clock) -> RetentionState:
    """A clock in the words for people. A secret order's own day is not told either."""
    reason = TOLD[clock.reason]
    secret = reason == "looked_at"
    return RetentionState(None if secret else clock.purge_at, reason)
