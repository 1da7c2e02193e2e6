"""The epoch of a room: part of every address of its live sound."""

from __future__ import annotations

import uuid

from rooms.models import Room


def new_epoch(room: Room) -> None:
    """Give a room that the caller holds locked a new epoch: no address of live sound that was given out opens any more.

    Web processes follow within `recording.epochs.BELIEVED` seconds of the commit. Who may still listen finds the new
    addresses in the playlist.
    """
    room.epoch = uuid.uuid4()
    room.save(update_fields=["epoch"])
