"""The epoch of a room: part of every address of its live sound."""

from __future__ import annotations

import uuid

from rooms.models import Room


def new_epoch(room: Room) -> None:
    """Give a locked room a new epoch, which invalidates every address of its live sound.

    Web processes follow within `rooms.recording.hls.epochs.CACHE_SECONDS` of the commit. People who may still listen
    get the new addresses with the playlist.
    """
    room.epoch = uuid.uuid4()
    room.save(update_fields=["epoch"])
