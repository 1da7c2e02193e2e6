"""Parts of the actions that change the stage of a locked room."""

from __future__ import annotations

import logging
from collections.abc import Mapping

from django.db import IntegrityError, transaction
from django.utils import timezone
from redis.exceptions import RedisError

from people.models import User
from rooms import presence
from rooms.actions.blocked_here import tell_blockers
from rooms.actions.hand_queue import lower_hands
from rooms.actions.host import cohosts_changed
from rooms.actions.locking import media_changed
from rooms.actions.rights import role_changed
from rooms.models import CaptionsOff, Hand, Room, Seat
from rooms.rules.refusals import RoomRefused
from rooms.wire.events import SeatState, append_event, seat_state

log = logging.getLogger(__name__)

# Names of the database constraints on the stage (rooms/models/stage.py).
GUARDS = ("seat_one_a_place", "seat_within_stage", "stage_full")


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


def seats_changed(room: Room, connected: Mapping[int, bool]) -> None:
    """Publish the whole stage of a locked room as it is now; `connected` as in `stage_state`."""
    append_event(room, "seats_changed", {"seats": stage_state(room, connected), "host_name": room.host.display_name})


def free_places(room: Room) -> list[int]:
    """Free places of speakers in a locked room, the lowest first."""
    taken = set(Seat.objects.filter(room=room, left_at=None).values_list("place", flat=True))
    return [place for place in range(1, room.max_speakers + 1) if place not in taken]


def is_without_captions(room: Room, user: User) -> bool:
    """Whether what this person says in a room is not written down now, whatever the room does."""
    return CaptionsOff.objects.filter(room=room, user=user, until=None).exists()


def sit(room: Room, user: User, role: str, place: int) -> Seat:
    """Seat a person in a locked room, microphone off, lower their hand, and publish it. A held mute of the person's
    last seat goes on, as does their wish for no captions. Raises stage_full where a database constraint refuses it."""
    seats = Seat.objects.filter(room=room, user=user).order_by("-taken_at", "-pk")
    held = bool(seats.values_list("mute_held", flat=True).first())
    values = {"mute_held": held, "captions_off": is_without_captions(room, user)}
    try:
        with transaction.atomic():
            seat = Seat.objects.create(room=room, user=user, place=place, role=role, **values)
    except IntegrityError as error:
        if any(guard in str(error) for guard in GUARDS):
            raise RoomRefused("stage_full") from error
        raise
    append_event(room, "seat_taken", {"seat": seat_state(seat, connected=True)})
    lower_hands(room, {user.pk: Hand.Outcome.SEATED})
    tell_blockers(room, user)
    media_changed(room)
    return seat


def stand_up(room: Room, seat: Seat, reason: str) -> None:
    """Close a seat of a locked room, and publish it. A co-host's powers end with it."""
    seat.left_at, seat.left_reason = timezone.now(), reason
    seat.save(update_fields=["left_at", "left_reason"])
    append_event(room, "seat_left", {"user": seat.user.handle, "reason": reason})
    media_changed(room)
    if seat.role == Seat.Role.COHOST:
        role_changed(seat.user_id)
        cohosts_changed(room)
