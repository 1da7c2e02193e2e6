"""What every action starts with: the room, locked, and what somebody is in it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import transaction

from people.models import User
from rooms import bus
from rooms.media.bus import CHANGED
from rooms.models import Room, Seat
from rooms.refusals import RoomRefused


@contextmanager
def locked(room_id: int) -> Iterator[Room]:
    """The room, in a transaction that nobody else can enter. Raises unknown_room."""
    with transaction.atomic():
        room = Room.objects.select_for_update(of=("self",)).select_related("host").filter(pk=room_id).first()
        if room is None:
            raise RoomRefused("unknown_room")
        yield room


def open_seat(room: Room, user: User) -> Seat | None:
    """Where this person sits now, if anywhere."""
    return Seat.objects.select_related("user").filter(room=room, user=user, left_at=None).first()


def role_of(room: Room, user: User | None, seat: Seat | None) -> str:
    """host, cohost, speaker or listener. A host is host also while standing."""
    if user is not None and user.pk == room.host_id:
        return "host"
    return "listener" if seat is None else seat.role


def media_changed(room: Room) -> None:
    """Tell the media supervisor, once the change is committed, that what it should see to has changed."""
    pk = room.pk
    transaction.on_commit(lambda: bus.publish(bus.key(CHANGED), str(pk)))
