"""What nobody does but time: hosts who stay away, stages that stay empty, rooms whose time is up.

Runs every few seconds in the worker. It reads presence, not sockets, so that a killed web process is noticed too.
Safe to run twice at once: every change is an action that looks again under the room's lock.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from django.conf import settings
from django.utils import timezone
from redis.exceptions import RedisError

from rooms import presence
from rooms.actions.host import host_back, host_lost
from rooms.actions.locking import locked
from rooms.actions.opening import end_room
from rooms.actions.stage import leave_seat
from rooms.actions.standing import apply_standing, without_right
from rooms.models import Room, Seat
from rooms.refusals import RoomRefused

log = logging.getLogger(__name__)

# A page that is reloaded is away for a second or two: nobody is called lost before this has passed.
RELOAD = timedelta(seconds=5)


@dataclass(frozen=True)
class Stage:
    """Who of a room is connected, as of one look at presence."""

    host_here: bool
    here: dict[int, bool]  # by the pk of who has an open seat


def sweep(now: datetime | None = None) -> int:
    """See to every live room; returns how many ended. Without Redis nobody's presence is known, so nothing ends."""
    _apply_standings()
    ended = 0
    rooms = Room.objects.filter(status=Room.Status.LIVE).order_by("pk")
    for room in rooms.iterator():
        try:
            ended += _sweep_room(room, now or timezone.now())
        except RoomRefused as refused:
            # Somebody was quicker: the room ended, or the person left, between our look and our act.
            log.info("sweep of room %s: %s", room.pk, refused.code)
        except RedisError as error:
            log.warning("sweep stopped, presence is not known: %s", error)
            break
    return ended


def _apply_standings() -> None:
    """End what accounts may not have any more. An account that fails keeps no other from being seen to."""
    for user_pk in without_right():
        try:
            apply_standing(user_pk)
        except Exception:
            log.exception("the standing of %s could not be applied", user_pk)


def _sweep_room(room: Room, now: datetime) -> bool:
    """One room. True when it ended."""
    if room.ends_by is not None and room.ends_by <= now:
        end_room(room.pk, None, Room.EndReason.TIME_UP)
        return True
    seats = list(Seat.objects.filter(room=room, left_at=None).select_related("user"))
    stage = _look(room, seats)
    if reason := _host(room, stage, now) or _empty(room, stage, now):
        return _end_if_still(room.pk, reason)
    for seat in seats:
        if seat.role != Seat.Role.HOST:
            _speaker(room, seat, stage.here[seat.user_id], now)
    return False


def _look(room: Room, seats: list[Seat]) -> Stage:
    people = [room.host_id, *(seat.user_id for seat in seats)]
    _present, here = presence.look(room.pk, [presence.user_key(pk) for pk in people])
    return Stage(here[0], dict(zip(people[1:], here[1:], strict=True)))


def _away(room: Room, user_pk: int, here: bool, now: datetime) -> datetime | None:
    since = presence.away_since(room.pk, user_pk, here, now.timestamp())
    return None if since is None else datetime.fromtimestamp(since, UTC)


def _host(room: Room, stage: Stage, now: datetime) -> str | None:
    """Keep `host_lost_at` true; the reason to end the room when the host's grace has passed."""
    away = _away(room, room.host_id, stage.host_here, now)
    if away is None:
        if room.host_lost_at is not None:
            host_back(room.pk)
        return None
    if room.host_lost_at is None:
        if now - away >= RELOAD:
            host_lost(room.pk, away)
        return None
    return Room.EndReason.HOST_GONE if now - room.host_lost_at >= _grace() else None


def _empty(room: Room, stage: Stage, now: datetime) -> str | None:
    """Keep `stage_empty_at` true; the reason to end the room when nobody came back to its stage."""
    if any(stage.here.values()):
        if room.stage_empty_at is not None:
            _set_stage_empty(room.pk, None)
        return None
    if room.stage_empty_at is None:
        _set_stage_empty(room.pk, now)
        return None
    return Room.EndReason.STAGE_EMPTY if now - room.stage_empty_at >= _emptiness() else None


def _set_stage_empty(room_pk: int, at: datetime | None) -> None:
    with locked(room_pk) as room:
        if room.is_live:
            room.stage_empty_at = at
            room.save(update_fields=["stage_empty_at"])


def _speaker(room: Room, seat: Seat, here: bool, now: datetime) -> None:
    """A speaker who stays away gives the place back."""
    away = _away(room, seat.user_id, here, now)
    if away is not None and now - away >= timedelta(seconds=settings.ROOM_SPEAKER_GRACE_SECONDS):
        leave_seat(room.pk, seat.user, Seat.LeftReason.LOST)


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
