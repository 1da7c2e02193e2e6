"""The reader at the door of a room: what several of its pages say about them."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest

from people.models import User
from rooms.models import Room
from rooms.rules.refusals import RoomRefused
from social.queries import follows, seems_to_follow


def reader(request: HttpRequest) -> User | None:
    """Return the signed-in user, else None."""
    return request.user if request.user.is_authenticated else None


def door_context(request: HttpRequest, room: Room, refused: RoomRefused) -> dict[str, Any]:
    """Build the context of the page that a refused person gets. An account that is not allowed is offered to follow the
    host, whatever the reason: what it sees depends on nothing but whether it follows, as far as it knows."""
    me = reader(request)
    offered = "follow" in refused.more and me is not None
    return {
        "refused": refused,
        "room": room,
        "offered": offered,
        "follows_host": offered and me is not None and seems_to_follow(me.pk, room.host_id),
    }


def follows_host(request: HttpRequest, room: Room) -> bool:
    """Whether the reader follows the host of a room."""
    me = reader(request)
    return me is not None and follows(me.pk, room.host_id)
