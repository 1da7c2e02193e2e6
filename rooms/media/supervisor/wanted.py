"""What should be: read from PostgreSQL. All that the media supervisor changes there is whether recording is paused."""

from __future__ import annotations

import logging
from dataclasses import dataclass, field

from django.db import DatabaseError

from rooms.media.supervisor.state import Handle
from rooms.models import Room, Seat

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class WantedSeat:
    """A person on stage, whether their microphone is closed, and the page that holds it."""

    pk: int
    user_pk: int
    handle: str
    muted: bool
    page: str = ""


@dataclass(frozen=True)
class WantedRoom:
    """A live room and its open seats by primary key."""

    pk: int
    slug: str
    told_paused: bool = False  # everybody in it knows that nothing is kept
    seats: dict[int, WantedSeat] = field(default_factory=dict)


def load() -> dict[int, WantedRoom]:
    """Every live room with who sits on its stage now: two queries."""
    live = Room.objects.filter(status=Room.Status.LIVE).values_list("pk", "slug", "recording_paused_at")
    rooms = {pk: WantedRoom(pk, slug, paused_at is not None) for pk, slug, paused_at in live}
    seats = Seat.objects.filter(left_at=None, room__status=Room.Status.LIVE)
    for room_pk, pk, user_pk, handle, muted, page in seats.values_list(
        "room_id", "pk", "user_id", "user__handle", "muted", "mic_page"
    ):
        if room_pk in rooms:
            rooms[room_pk].seats[pk] = WantedSeat(pk, user_pk, handle, muted, page)
    return rooms


def open_seat(room_pk: int, seat_pk: int, who_key: str) -> WantedSeat | None:
    """This person's seat if it is open in a live room at this moment."""
    seat = (
        Seat.objects.filter(pk=seat_pk, room_id=room_pk, left_at=None, room__status=Room.Status.LIVE)
        .values_list("user_id", "user__handle", "muted", "mic_page")
        .first()
    )
    if seat is None or who_key != f"u:{seat[0]}":
        return None
    return WantedSeat(seat_pk, *seat)


def holds(handle: Handle) -> bool:
    """Whether the page of this microphone holds it at this moment: what a round has read may be older than an offer.

    While the database is away, rooms go on as they are.
    """
    try:
        seat = open_seat(handle.room, handle.seat, handle.who)
    except DatabaseError as error:
        log.warning("whose microphone it is, is not known: %s", type(error).__name__)
        return True
    return seat is not None and seat.page == handle.page
