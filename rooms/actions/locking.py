"""Lock the room at the start of an action, and notify the media supervisor at its end."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import transaction

from core import bus
from rooms.channels import MEDIA_CHANGED
from rooms.models import Room
from rooms.rules.refusals import RoomRefused


@contextmanager
def locked(room_id: int) -> Iterator[Room]:
    """Open a transaction and lock the room; one action at a time works on a room. Raises unknown_room."""
    with transaction.atomic():
        # no_key: transactions that insert rows with a foreign key to the room need not wait for this lock.
        # No join to the host: PostgreSQL leaves out a row whose join no longer fits after the wait for its lock, and a
        # hand-over changes the host.
        room = Room.objects.select_for_update(no_key=True).filter(pk=room_id).first()
        if room is None:
            raise RoomRefused("unknown_room")
        yield room


def media_changed(room: Room) -> None:
    """Notify the media supervisor, after the commit, that the wanted state of a room has changed."""
    pk = room.pk
    transaction.on_commit(lambda: bus.publish(bus.key(MEDIA_CHANGED), str(pk)), robust=True)
