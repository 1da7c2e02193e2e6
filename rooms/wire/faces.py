"""A person as lists of a room show them."""

from __future__ import annotations

from typing import TypedDict

from people.models import User


class Face(TypedDict):
    """A person. `user` is a handle; `picture` is an address or "", then initials stand on `color`."""

    user: str
    name: str
    initials: str
    picture: str
    color: str


def face(user: User) -> Face:
    """How lists show this person. At the table a seat's place gives the colour instead (`events.seat_state`)."""
    return {
        "user": user.handle,
        "name": user.display_name,
        "initials": user.initials,
        "picture": user.picture_url,
        "color": user.colour,
    }
