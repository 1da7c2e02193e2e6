"""What nobody does but time: hosts who stay away, stages that stay empty, rooms whose time is up.

Runs every few seconds in the worker. It reads presence, not sockets, so that a killed web process is noticed too; of
all rooms at once, so that a round costs one question to Redis and two to the database, however many rooms are live.
Safe to run twice at once: every change is an action that looks again under the room's lock.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from django.conf import settings
from django.db.models import Prefetch
from django.utils import timezone
from redis.exceptions import RedisError

from core.batches import each
from rooms import presence
from rooms.actions.host import host_back, host_lost
from rooms.actions.locking import locked
from rooms.actions.opening import end_room
from rooms.actions.stage import leave_seat
from rooms.actions.standing import apply_standing, without_right
from rooms.models import Room, Seat
from rooms.rules.refusals import RoomRefused

log = logging.getLogger(__name__)

# A page that is reloaded is away for a second or two: nobody is called lost before this has passed.
RELOAD = timedelta(seconds=5)


@dataclass(frozen=True)
class Seen:
    """One live room: its open seats, and since when its host and people on stage are away (None: they are here).

    `away` is empty where Redis did not answer: then nobody's presence is known.
    """

    room: Room
    seats: list[Seat]
    away: dict[int, datetime | None]


def sweep(now: datetime | None = None) -> int:
    """See to every live room; returns how many ended. Without Redis rooms end only because their time is up.

    A room that fails is logged, and keeps no other from being seen to.
    """
    each(without_right(), apply_standing, "the standing of an account")
    now = now or timezone.now()
    ended: list[int] = []

    def see_to(seen: Seen) -> None:
        if _sweep_room(seen, now):
            ended.append(seen.room.pk)

    each(_look(now), see_to, "the sweep of a room")
    return len(ended)


def _look(now: datetime) -> list[Seen]:
    """Every live room as it is at this moment."""
    open_seats = Prefetch("seats", Seat.objects.filter(left_at=None).select_related("user"), to_attr="open_seats")
    rooms = list(Room.objects.filter(status=Room.Status.LIVE).order_by("pk").prefetch_related(open_seats))
    watched = {room.pk: list({room.host_id, *(seat.user_id for seat in room.open_seats)}) for room in rooms}
    try:
        found = presence.watch(watched, now.timestamp())
    except RedisError as error:
        log.warning("presence is not known, only rooms whose time is up end: %s", error)
        found = {}
    return [Seen(room, room.open_seats, _times(found.get(room.pk, {}))) for room in rooms]


def _times(since: dict[int, float | None]) -> dict[int, datetime | None]:
    return {pk: None if at is None else datetime.fromtimestamp(at, UTC) for pk, at in since.items()}


def _sweep_room(seen: Seen, now: datetime) -> bool:
    """One room. True when it ended."""
    try:
        return _end_or_tidy(seen, now)
    except RoomRefused as refused:
        # Somebody was quicker: the room ended, or the person left, between our look and our act.
        log.info("sweep of room %s: %s", seen.room.pk, refused.code)
        return False


def _end_or_tidy(seen: Seen, now: datetime) -> bool:
    room = seen.room
    if room.ends_by is not None and room.ends_by <= now:
        end_room(room.pk, None, Room.EndReason.TIME_UP)
        return True
    if not seen.away:
        return False
    if reason := _host(seen, now) or _empty(seen, now):
        return _end_if_still(room.pk, reason)
    for seat in seen.seats:
        if seat.role != Seat.Role.HOST:
            _speaker(seen, seat, now)
    return False


def _host(seen: Seen, now: datetime) -> str | None:
    """Keep `host_lost_at` true; the reason to end the room when the host's grace has passed."""
    room, away = seen.room, seen.away[seen.room.host_id]
    if away is None:
        if room.host_lost_at is not None:
            host_back(room.pk)
        return None
    if now - away < RELOAD:  # also where the host may have been here while no clock came by
        return None
    if room.host_lost_at is None:
        host_lost(room.pk, away)
        return None
    return Room.EndReason.HOST_GONE if now - room.host_lost_at >= _grace() else None


def _empty(seen: Seen, now: datetime) -> str | None:
    """Keep `stage_empty_at` true; the reason to end the room when nobody came back to its stage."""
    room, away = seen.room, [seen.away[seat.user_id] for seat in seen.seats]
    if None in away:
        if room.stage_empty_at is not None:
            _set_stage_empty(room.pk, None)
        return None
    if room.stage_empty_at is None:
        _set_stage_empty(room.pk, now)
        return None
    # Somebody may have been here while no clock came by that would have written it down.
    since = max([room.stage_empty_at, *(at for at in away if at is not None)])
    return Room.EndReason.STAGE_EMPTY if now - since >= _emptiness() else None


def _set_stage_empty(room_pk: int, at: datetime | None) -> None:
    with locked(room_pk) as room:
        if room.is_live:
            room.stage_empty_at = at
            room.save(update_fields=["stage_empty_at"])


def _speaker(seen: Seen, seat: Seat, now: datetime) -> None:
    """A speaker who stays away gives the place back."""
    away = seen.away[seat.user_id]
    if away is not None and now - away >= timedelta(seconds=settings.ROOM_SPEAKER_GRACE_SECONDS):
        leave_seat(seen.room.pk, seat.user, Seat.LeftReason.LOST)


def _end_if_still(room_pk: int, reason: str) -> bool:
    """End it unless the host, or somebody on stage, came back while we were looking."""
    still: dict[str, Callable[[Room], bool]] = {
        Room.EndReason.HOST_GONE: lambda room: room.host_lost_at is not None,
        Room.EndReason.STAGE_EMPTY: lambda room: room.stage_empty_at is not None,
    }
    with locked(room_pk) as room:
        if not still[reason](room):
            return False
        end_room(room_pk, None, reason)
    return True


def _grace() -> timedelta:
    return timedelta(seconds=settings.ROOM_HOST_GRACE_SECONDS)


def _emptiness() -> timedelta:
    return timedelta(seconds=settings.ROOM_EMPTY_STAGE_SECONDS)
