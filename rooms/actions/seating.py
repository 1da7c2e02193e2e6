"""Parts of the actions that change the stage of a locked room."""

from __future__ import annotations

import logging
from collections.abc import Mapping

from django.utils import timezone
from redis.exceptions import RedisError

from rooms import presence
from rooms.actions.host import cohosts_changed
from rooms.actions.locking import media_changed
from rooms.actions.rights import role_changed
from rooms.models import Room, Seat
from rooms.wire.events import SeatState, append_event, seat_state

log = logging.getLogger(__name__)


def connected_people(room_id: int) -> dict[int, bool]:
    """Whether each account on stage is connected; empty where Redis does not answer. Read before the room is locked."""
    seated = list(Seat.objects.filter(room=room_id, left_at=None).values_list("user_id", flat=True))
    try:
        _present, here = presence.look(room_id, [presence.user_key(pk) for pk in seated])
    except RedisError as error:
        log.warning("room %s: everybody on stage counts as connected: %s", room_id, error)
        return {}
    return dict(zip(seated, here, strict=True))


def stage_state(room: Room, connected: Mapping[int, bool]) -> list[SeatState]:
    """State of every open seat of a locked room, by place. Accounts missing from `connected` count as connected."""
    seats = Seat.objects.select_related("user").filter(room=room, left_at=None).order_by("place")
    return [seat_state(seat, connected=connected.get(seat.user_id, True)) for seat in seats]


def free_places(room: Room) -> list[int]:
    """Free places of speakers in a locked room, the lowest first."""
    taken = set(Seat.objects.filter(room=room, left_at=None).values_list("place", flat=True))
    return [place for place in range(1, room.max_speakers + 1) if place not in taken]


def stand_up(room: Room, seat: Seat, reason: str) -> None:
    """Close a seat of a locked room, and publish it. A co-host's powers end with it."""
    seat.left_at, seat.left_reason = timezone.now(), reason
    seat.save(update_fields=["left_at", "left_reason"])
    append_event(room, "seat_left", {"user": seat.user.handle, "reason": reason})
    media_changed(room)
    if seat.role == Seat.Role.COHOST:
        role_changed(seat.user_id)
        cohosts_changed(room)
