"""When a prepared room begins: the moment that a wall time in a zone means, and its limits. Pure."""

from __future__ import annotations

import re
import zoneinfo
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from people.zones import is_zone

SOONEST = timedelta(minutes=5)  # from now
LATEST = timedelta(days=90)  # from now
APART = timedelta(minutes=60)  # between two starts of one host; the database has it too (`room_starts_apart`)
NOT_HELD_AFTER = timedelta(minutes=60)  # after its start a room that was not opened is cancelled
MOST_PREPARED = 20  # rooms of one host that wait for their start

_WALL = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}", re.ASCII)
_FAR = timedelta(days=2)  # more than any zone is from another


@dataclass(frozen=True)
class Start:
    """A start: the moment in UTC, and the zone and wall time it was typed in. `twice`: clocks go back over it, so that
    this wall time comes twice; `at` is the first."""

    at: datetime
    zone: str
    wall: str
    twice: bool


class BadStart(Exception):
    """A start that cannot be: `code` is that of a refusal, `field` the value that is wrong, "wall" or "zone"."""

    def __init__(self, code: str, field: str) -> None:
        super().__init__(code)
        self.code, self.field = code, field


def start_of(wall: str, zone: str, now: datetime) -> Start:
    """Return the start that "YYYY-MM-DDTHH:MM" in an IANA zone means.

    Raises BadStart: bad_value, no_such_time (clocks go forward over it), starts_too_soon, starts_too_late.
    """
    if not is_zone(zone):
        raise BadStart("bad_value", "zone")
    typed = _parsed(wall)
    # Years on the edge of the calendar have no moment in every zone.
    if typed < now.astimezone(UTC).replace(tzinfo=None) - _FAR:
        raise BadStart("starts_too_soon", "wall")
    if typed > now.astimezone(UTC).replace(tzinfo=None) + LATEST + _FAR:
        raise BadStart("starts_too_late", "wall")
    start = resolved(typed, zone)
    if start is None:
        raise BadStart("no_such_time", "wall")
    if start.at < now + SOONEST:
        raise BadStart("starts_too_soon", "wall")
    if start.at > now + LATEST:
        raise BadStart("starts_too_late", "wall")
    return start


def _parsed(wall: str) -> datetime:
    if not _WALL.fullmatch(wall):
        raise BadStart("bad_value", "wall")
    try:
        return datetime.fromisoformat(wall)
    except ValueError as error:
        raise BadStart("bad_value", "wall") from error


def resolved(typed: datetime, zone: str) -> Start | None:
    """Return the start of a naive wall time in a zone; None where clocks go forward over it."""
    local = typed.replace(tzinfo=zoneinfo.ZoneInfo(zone), fold=0)
    at = local.astimezone(UTC)
    if at.astimezone(local.tzinfo).replace(tzinfo=None) != typed:
        return None
    return Start(at, zone, f"{typed:%Y-%m-%dT%H:%M}", comes_twice(typed, zone))


def comes_twice(typed: datetime, zone: str) -> bool:
    """Whether clocks go back over a naive wall time that exists in a zone."""
    local = typed.replace(tzinfo=zoneinfo.ZoneInfo(zone))
    return local.replace(fold=0).utcoffset() != local.replace(fold=1).utcoffset()
