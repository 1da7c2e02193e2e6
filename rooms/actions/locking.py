"""The start of every action: the room, locked."""

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
    """The room, in a transaction that nobody else can enter. Raises unknown_room."""
    with transaction.atomic():
        # A lock that lets rows refer to the room meanwhile (no_key): whoever adds one would wait for it at the commit.
        rooms = Room.objects.select_for_update(of=("self",), no_key=True).select_related("host")
        room = rooms.filter(pk=room_id).first()
        if room is None:
            raise RoomRefused("unknown_room")
        yield room


def media_changed(room: Room) -> None:
    """Tell the media supervisor, once the change is committed, that what it should see to has changed."""
    pk = room.pk
    transaction.on_commit(lambda: bus.publish(bus.key(MEDIA_CHANGED), str(pk)), robust=True)
