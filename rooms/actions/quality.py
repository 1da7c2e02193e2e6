"""The quality of a speaker's connection, as their page measured it: told to the host's side, and kept nowhere."""

from __future__ import annotations

from people.models import User
from rooms.models import Room
from rooms.rules import permissions
from rooms.rules.facts import facts_of
from rooms.rules.refusals import RoomRefused, refuse
from rooms.wire.sides import LEVELS, tell_host_side


def tell_quality(room: Room, user: User, level: str) -> None:
    """Tell host and co-hosts how good a speaker's connection is; `level` is one of LEVELS.

    Nothing changes, so the room is not locked and gets no event. Raises bad_value, room_ended, not_on_stage, and the
    codes of entry.
    """
    if level not in LEVELS:
        raise RoomRefused("bad_value", {"level": ", ".join(LEVELS)})
    refuse(permissions.may_tell_quality(facts_of(room, user)))
    tell_host_side(room, {"type": "quality", "room": room.slug, "data": {"user": user.handle, "level": level}})
