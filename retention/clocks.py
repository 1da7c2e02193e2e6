"""Clocks of rooms, out of the findings and holds that apps register a source of (`retention.hooks.retention_facts`).

A source is asked under the lock of the room's row, and whoever adds a finding or a hold takes the same lock and asks
`still_holdable`: so a hold that was filed before the purge began keeps the copy, and one that was filed after it does
not.
"""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings
from django.db import InterfaceError, OperationalError
from django.db.models import QuerySet
from django.utils import timezone

from retention.hooks import retention_facts
from retention.policy import Clock, Finding, Hold, Rules, clock, utc
from rooms.models import Room

log = logging.getLogger(__name__)

CHUNK = 500


def rules() -> Rules:
    """The settings, as the policy wants them."""
    return Rules(settings.RECORDING_DAYS, settings.RECORDING_DAYS_VIOLATION)


def tolerance() -> timedelta:
    """How late a purge may be, at most."""
    return timedelta(seconds=settings.RETENTION_TOLERANCE_SECONDS)


def clocks(ends: Mapping[int, datetime], now: datetime) -> dict[int, Clock]:
    """The clock of each room, by its key, from when each ended. One question to each source, however many rooms."""
    findings: dict[int, list[Finding]] = defaultdict(list)
    holds: dict[int, list[Hold]] = defaultdict(list)
    for source in retention_facts.values() if ends else ():
        for room_pk, fact in source(list(ends)):
            if isinstance(fact, Finding):
                findings[room_pk].append(fact)
            else:
                holds[room_pk].append(fact)
    return {pk: clock(ended_at, now, findings[pk], holds[pk], rules()) for pk, ended_at in ends.items()}


def clock_of(room: Room, now: datetime | None = None) -> Clock | None:
    """A room's clock; None until it has ended."""
    if room.ended_at is None:
        return None
    return clocks({room.pk: room.ended_at}, now or timezone.now())[room.pk]


def still_holdable(room: Room, now: datetime | None = None) -> bool:
    """Whether something filed now still keeps the copy. Ask with the room's row locked."""
    if room.purged_at is not None:
        return False
    found = clock_of(room, now)
    return found is None or not found.due


def to_purge() -> QuerySet[Room]:
    """Ended rooms that still have a copy, the longest ended first (index `room_to_purge`)."""
    return Room.objects.filter(status=Room.Status.ENDED, purged_at=None).order_by("ended_at", "pk")


def candidates(before: datetime) -> Iterable[dict[int, datetime]]:
    """Rooms with a copy that ended before this moment: key and end, some at a time."""
    rows = to_purge().filter(ended_at__lte=before)
    found = rows.values_list("pk", "ended_at")[:CHUNK]
    while chunk := [(pk, ended_at) for pk, ended_at in found if ended_at is not None]:
        yield dict(chunk)
        pk, ended_at = chunk[-1]
        found = (
            rows.filter(ended_at__gte=ended_at)
            .exclude(ended_at=ended_at, pk__lte=pk)
            .values_list("pk", "ended_at")[:CHUNK]
        )


@dataclass(frozen=True)
class Waiting:
    """A room whose first day has come: due, or held."""

    room_pk: int
    clock: Clock


def past_first_day(now: datetime, failed: dict[int, str]) -> Iterable[Waiting]:
    """All rooms with a copy whose 30 days are over, the longest ended first. A room whose facts cannot be told keeps no
    other from its clock: it is put into `failed`, with why."""
    for ends in candidates(utc(now) - timedelta(days=rules().review_days)):
        try:
            found = clocks(ends, now)
        except (OperationalError, InterfaceError):  # nothing can be told of any room
            raise
        except Exception:
            log.exception("facts of %d rooms cannot be told: trying one by one", len(ends))
            found = one_by_one(ends, now, failed)
        for pk, its in found.items():
            yield Waiting(pk, its)


def one_by_one(ends: Mapping[int, datetime], now: datetime, failed: dict[int, str]) -> dict[int, Clock]:
    """Clocks of those rooms that have one."""
    found: dict[int, Clock] = {}
    for pk, ended_at in ends.items():
        try:
            found |= clocks({pk: ended_at}, now)
        except Exception as error:
            failed[pk] = f"its clock is not known: {type(error).__name__}: {error}"
    return found
