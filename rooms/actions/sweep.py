"""Hand over or end rooms whose host stays away, end those whose stage stays empty or whose time is up, and free seats
and lower hands of people who stay away. Cancel prepared rooms that their host did not open. Complete what a block
causes in rooms, where a process died over it.

Runs every few seconds in the worker. It reads presence, not sockets, so that it notices a killed web process too, and
reads all rooms at once: one round trip to Redis and a fixed number of queries, however many rooms are live, and five
more where a room with co-hosts has lost its host. Safe to run concurrently: every change is an action that checks again
under the room's lock.
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

from core.batches import run_each
from rooms import presence
from rooms.actions.hand_over import hand_over_to_cohost
from rooms.actions.hands import lower_lost_hands
from rooms.actions.host import host_back, host_lost, review_absence
from rooms.actions.locking import locked
from rooms.actions.opening import end_room
from rooms.actions.preparing import cancel_unheld
from rooms.actions.stage import leave_seat
from rooms.actions.standing import accounts_without_right, apply_standing
from rooms.models import Hand, HandOver, Room, Seat
from rooms.rules.facts import grace_ends, hand_over_due
from rooms.rules.heirs import heirs_among
from rooms.rules.refusals import RoomRefused
from social.actions.blocks import settle_left

log = logging.getLogger(__name__)

# A page that is reloaded is away for a second or two: shorter absences are ignored.
RELOAD = timedelta(seconds=5)


@dataclass(frozen=True)
class RoomPresence:
    """A live room, its open seats and hands, and since when its host and their people are away (None: they are here).

    `away` is empty where Redis did not answer: then no presence is known. `has_heir` is whether a co-host could receive
    the room; only looked up while its host is lost.
    """

    room: Room
    seats: list[Seat]
    hands: list[Hand]
    away: dict[int, datetime | None]
    has_heir: bool


def sweep_rooms(now: datetime | None = None) -> int:
    """Sweep every live room; returns how many ended. Without Redis rooms end only because their time is up.

    A failure in one room is logged; the other rooms are still swept.
    """
    now = now or timezone.now()
    run_each(accounts_without_right(), apply_standing, "the standing of an account")
    settle_left(now)
    cancel_unheld(now)
    ended: list[int] = []

    def sweep_one(seen: RoomPresence) -> None:
        if _sweep_room(seen, now):
            ended.append(seen.room.pk)

    run_each(_load(now), sweep_one, "the sweep of a room")
    return len(ended)


def _load(now: datetime) -> list[RoomPresence]:
    """Load every live room with its presence."""
    open_seats = Prefetch("seats", Seat.objects.filter(left_at=None).select_related("user"), to_attr="open_seats")
    open_hands = Prefetch("hands", Hand.objects.filter(lowered_at=None), to_attr="open_hands")
    rooms = list(Room.objects.filter(status=Room.Status.LIVE).order_by("pk").prefetch_related(open_seats, open_hands))
    watched = {room.pk: _watched(room.host_id, room.open_seats, room.open_hands) for room in rooms}
    try:
        away = presence.absences(watched, now.timestamp())
    except RedisError as error:
        log.warning("presence is not known, only rooms whose time is up end: %s", error)
        away = {}
    seats = ((room, seat) for room in rooms if room.host_lost_at is not None for seat in room.open_seats)
    with_heir = {seat.room_id for seat in heirs_among(seats)}
    return [
        RoomPresence(room, room.open_seats, room.open_hands, _times(away.get(room.pk, {})), room.pk in with_heir)
        for room in rooms
    ]


def _watched(host: int, seats: list[Seat], hands: list[Hand]) -> list[int]:
    return list({host, *(seat.user_id for seat in seats), *(hand.user_id for hand in hands)})


def _times(since: dict[int, float | None]) -> dict[int, datetime | None]:
    return {pk: None if at is None else datetime.fromtimestamp(at, UTC) for pk, at in since.items()}


def _sweep_room(seen: RoomPresence, now: datetime) -> bool:
    """Sweep one room. Returns whether it ended."""
    try:
        return _end_or_tidy(seen, now)
    except RoomRefused as refused:
        # The room ended or the person left after `_load` read them.
        log.info("sweep of room %s: %s", seen.room.pk, refused.code)
        return False


def _end_or_tidy(seen: RoomPresence, now: datetime) -> bool:
    room = seen.room
    if room.ends_by is not None and room.ends_by <= now:
        end_room(room.pk, None, Room.EndReason.TIME_UP)
        return True
    if not seen.away:
        return False
    if reason := _check_host(seen, now) or _check_stage(seen, now):
        return _end_if_still(room.pk, reason)
    for seat in seen.seats:
        if seat.role != Seat.Role.HOST:
            _free_lost_seat(seen, seat, now)
    if lost := [hand for hand in seen.hands if _away_too_long(seen, hand.user_id, now)]:
        lower_lost_hands(room.pk, lost)
    return False


def _check_host(seen: RoomPresence, now: datetime) -> str | None:
    """Update the host's absence; after the grace period hand the room over, or return the reason to end it."""
    room, away = seen.room, seen.away[seen.room.host_id]
    if away is None:
        if room.host_lost_at is not None:
            host_back(room.pk)
        return None
    if now - away < RELOAD:  # also where no sweep ran for a while and the host may have been here
        return None
    if room.host_lost_at is None:
        host_lost(room.pk, away)
        return None
    if seen.has_heir != room.hands_over:  # a co-host's rights have changed
        review_absence(room.pk)
        return None
    hands_over_at, ends_at = hand_over_due(room), grace_ends(room)
    if hands_over_at is not None and now >= hands_over_at:
        # A co-host who is away just now is waited for until their seat is free; then the room ends.
        connected = {pk: since is None for pk, since in seen.away.items()}
        hand_over_to_cohost(room.pk, room.host_id, HandOver.Reason.HOST_GONE, connected)
    return Room.EndReason.HOST_GONE if ends_at is not None and now >= ends_at else None


def _check_stage(seen: RoomPresence, now: datetime) -> str | None:
    """Update `stage_empty_at`; return the reason to end the room once its stage was empty for too long."""
    room, away = seen.room, [seen.away[seat.user_id] for seat in seen.seats]
    if None in away:
        if room.stage_empty_at is not None:
            _set_stage_empty(room.pk, None)
        return None
    if room.stage_empty_at is None:
        _set_stage_empty(room.pk, now)
        return None
    # Where no sweep ran for a while somebody may have been here unrecorded: count from the newest absence.
    since = max([room.stage_empty_at, *(at for at in away if at is not None)])
    return Room.EndReason.STAGE_EMPTY if now - since >= _empty_stage_grace() else None


def _set_stage_empty(room_pk: int, at: datetime | None) -> None:
    with locked(room_pk) as room:
        if room.is_live:
            room.stage_empty_at = at
            room.save(update_fields=["stage_empty_at"])


def _free_lost_seat(seen: RoomPresence, seat: Seat, now: datetime) -> None:
    """Close the seat of a speaker who was away for ROOM_SPEAKER_GRACE_SECONDS."""
    if _away_too_long(seen, seat.user_id, now):
        leave_seat(seen.room.pk, seat.user, Seat.LeftReason.LOST)


def _away_too_long(seen: RoomPresence, user_pk: int, now: datetime) -> bool:
    away = seen.away[user_pk]
    return away is not None and now - away >= timedelta(seconds=settings.ROOM_SPEAKER_GRACE_SECONDS)


def _end_if_still(room_pk: int, reason: str) -> bool:
    """End a room unless its host, or somebody on stage, came back meanwhile, or it has a co-host now. Returns whether
    it ended."""
    still: dict[str, Callable[[Room], bool]] = {
        Room.EndReason.HOST_GONE: lambda room: room.host_lost_at is not None and not room.hands_over,
        Room.EndReason.STAGE_EMPTY: lambda room: room.stage_empty_at is not None,
    }
    with locked(room_pk) as room:
        if not still[reason](room):
            return False
        end_room(room_pk, None, reason)
    return True


def _empty_stage_grace() -> timedelta:
    return timedelta(seconds=settings.ROOM_EMPTY_STAGE_SECONDS)
