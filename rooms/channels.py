"""Channels in Redis that every process of the site hears. Each name stands here and nowhere else."""

from __future__ import annotations

from core.bus import key


def room_channel(room_pk: int) -> str:
    """What everybody in a room may hear."""
    return key(f"room:{room_pk}")


def person_channel(user_pk: int) -> str:
    """What one person's pages hear, in whatever room they are."""
    return key(f"person:{user_pk}")


def host_channel(room_pk: int) -> str:
    """What host and co-hosts of a room hear, and nobody else."""
    return key(f"host:{room_pk}")


def staff_channel() -> str:
    """What staff hear whose session used a second step lately, in whatever room they are."""
    return key("staff")


def hubs_channel() -> str:
    """The channel that every hub hears: whose sockets to check again, {"person": pk} or {"room": pk}."""
    return key("hubs")


MEDIA_CHANGED = "media:changed"  # channel: a room's primary key, whose wanted state changed
