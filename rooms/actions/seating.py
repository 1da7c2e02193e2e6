"""The whole stage for events that change several seats."""

from __future__ import annotations

import logging
from collections.abc import Mapping

from redis.exceptions import RedisError

from rooms import presence
from rooms.models import Room, Seat
from rooms.wire.events import SeatState, seat_state

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
