"""Names of the Redis channels between processes of the site."""

from __future__ import annotations

from core.bus import key


def room_channel(room_pk: int) -> str:
    """The channel of messages that everybody in a room may receive."""
    return key(f"room:{room_pk}")


def host_channel(room_pk: int) -> str:
    """The channel of a room's host and co-hosts."""
    return key(f"host:{room_pk}")


def staff_channel() -> str:
    """The channel of staff whose session used a second step lately, in whatever room they are."""
    return key("staff")


def hubs_channel() -> str:
    """The channel that every hub hears: whose sockets to check again, {"person": pk} or {"room": pk}."""
    return key("hubs")


MEDIA_CHANGED = "media:changed"  # channel: a room's primary key, whose wanted state changed


def side_channel(side: str, room_pk: int) -> str:
    """Channel of a narrower group: "staff", or "host" for the host's side of a room."""
    return staff_channel() if side == "staff" else host_channel(room_pk)
