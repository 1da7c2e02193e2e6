"""Clocks of rooms, from the findings and holds that apps' sources yield (`retention.hooks.retention_facts`).

Sources are called with the room's row locked. Code that adds a finding or hold takes the same lock and calls
`still_holdable`: so one filed before the purge begins keeps the copy, and one filed later does not count.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from django.conf import settings
from django.db import InterfaceError, OperationalError
from django.db.models import QuerySet
from django.utils import timezone

from retention.hooks import retention_facts
from retention.policy import Clock, Finding, Hold, Rules, ToldClock, clock, told_clock, utc
from rooms.models import Room
from rooms.models.room import OVER

log = logging.getLogger(__name__)

CHUNK = 500


def rules() -> Rules:
    """The policy's rules, from the settings."""
    return Rules(settings.RECORDING_DAYS, settings.RECORDING_DAYS_VIOLATION, settings.APPEAL_HOLD_DAYS)


def tolerance() -> timedelta:
    """The longest delay allowed between the time a purge is due and the purge."""
    return timedelta(seconds=settings.RETENTION_TOLERANCE_SECONDS)


@dataclass
class Facts:
    """Findings and holds of one room, also those that have ended."""

    findings: list[Finding] = field(default_factory=list)
    holds: list[Hold] = field(default_factory=list)


def facts_of(rooms: Iterable[int]) -> dict[int, Facts]:
    """Collect the facts of many rooms, by key. Each source is called once for all."""
    facts = {pk: Facts() for pk in rooms}
    for source in retention_facts.values() if facts else ():
        for room_pk, fact in source(list(facts)):
            if isinstance(fact, Finding):
                facts[room_pk].findings.append(fact)
            else:
                facts[room_pk].holds.append(fact)
    return facts


def clocks(ends: Mapping[int, datetime], now: datetime) -> dict[int, Clock]:
    """Compute the clocks of many rooms, by key; `ends` says since when each is over (`Room.over_at`). Each source is
    called once for all."""
    facts = facts_of(ends)
    return {pk: clock(at, now, facts[pk].findings, facts[pk].holds, rules()) for pk, at in ends.items()}


def told_clocks(ends: Mapping[int, datetime], now: datetime) -> dict[int, tuple[Clock, ToldClock]]:
    """Compute the clocks of many rooms, as `clocks` does, each with what its host is told of it."""
    facts, by_rules = facts_of(ends), rules()
    pairs = {}
    for pk, ended_at in ends.items():
        full = clock(ended_at, now, facts[pk].findings, facts[pk].holds, by_rules)
        pairs[pk] = full, told_clock(full, ended_at, facts[pk].findings, by_rules)
    return pairs


def clock_of(room: Room, now: datetime | None = None) -> Clock | None:
    """Compute a room's clock; None until the room is over."""
    if room.over_at is None:
        return None
    return clocks({room.pk: room.over_at}, now or timezone.now())[room.pk]


def still_holdable(room: Room, now: datetime | None = None) -> bool:
    """Return whether a finding or hold filed now still keeps the copy. The caller has the room's row locked."""
    if room.purged_at is not None:
        return False
    its_clock = clock_of(room, now)
    return its_clock is None or not its_clock.due


def to_purge() -> QuerySet[Room]:
    """Select rooms that are over and still have a copy, or are cancelled and still have their rows; oldest first (index
    `room_to_purge`)."""
    return Room.objects.filter(status__in=OVER, purged_at=None).order_by("over_at", "pk")


def candidates(before: datetime) -> Iterable[dict[int, datetime]]:
    """Yield rooms to be purged that were over before this time, oldest first, as {key: end} of up to CHUNK rooms."""
    rows = to_purge().filter(over_at__lte=before)
    page = rows.values_list("pk", "over_at")[:CHUNK]
    while chunk := list(page):
        yield dict(chunk)
        pk, over_at = chunk[-1]
        page = (
            rows.filter(over_at__gte=over_at).exclude(over_at=over_at, pk__lte=pk).values_list("pk", "over_at")[:CHUNK]
        )


@dataclass(frozen=True)
class RoomPastReview:
    """A room with a copy whose review period is over: due, or kept longer by a violation or a hold."""

    room_pk: int
    clock: Clock


def past_review_period(now: datetime, failed: dict[int, str]) -> Iterable[RoomPastReview]:
    """Yield the rooms with a copy whose review period (30 days) is over, oldest end first.

    A room whose findings and holds cannot be read is put into `failed` with the error; the other rooms are yielded.
    """
    for ends in candidates(utc(now) - timedelta(days=rules().review_days)):
        try:
            found = clocks(ends, now)
        except (OperationalError, InterfaceError):  # the database is away: that is no fault of a room
            raise
        except Exception:
            log.exception("the facts of %d rooms could not be read: trying one by one", len(ends))
            found = clocks_one_by_one(ends, now, failed)
        for pk, its in found.items():
            yield RoomPastReview(pk, its)


def clocks_one_by_one(ends: Mapping[int, datetime], now: datetime, failed: dict[int, str]) -> dict[int, Clock]:
    """Compute the clocks room by room; those that fail are put into `failed` with the error."""
    found: dict[int, Clock] = {}
    for pk, ended_at in ends.items():
        try:
            found |= clocks({pk: ended_at}, now)
        except Exception as error:
            failed[pk] = f"its clock is not known: {type(error).__name__}: {error}"
    return found
