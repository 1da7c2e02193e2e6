"""Seats in a room that the caller holds locked: which places are free, and seat a person."""

from __future__ import annotations

from django.db import IntegrityError, transaction

from people.models import User
from rooms.actions.blocked_here import tell_blockers
from rooms.actions.hand_queue import lower_hands
from rooms.actions.locking import media_changed
from rooms.models import Hand, Room, Seat
from rooms.rules.refusals import RoomRefused
from rooms.wire.events import append_event, seat_state

# Names of the database constraints on the stage (rooms/models/stage.py).
GUARDS = ("seat_one_a_place", "seat_within_stage", "stage_full")


def sit(room: Room, user: User, role: str, place: int) -> Seat:
    """Seat a person in a locked room, microphone off, lower their hand, and publish it. Raises stage_full where a
    database constraint refuses it."""
    try:
        with transaction.atomic():
            seat = Seat.objects.create(room=room, user=user, place=place, role=role)
    except IntegrityError as error:
        if any(guard in str(error) for guard in GUARDS):
            raise RoomRefused("stage_full") from error
        raise
    tell_blockers(room, user)
    append_event(room, "seat_taken", {"seat": seat_state(seat, connected=True)})
    lower_hands(room, {user.pk: Hand.Outcome.SEATED})
    media_changed(room)
    return seat


def free_places(room: Room) -> list[int]:
    """Places for speakers that are free, lowest first."""
    taken = set(Seat.objects.filter(room=room, left_at=None).values_list("place", flat=True))
    return [place for place in range(1, room.max_speakers + 1) if place not in taken]
