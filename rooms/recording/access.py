"""Who may hear, read, publish and download what was kept of a room. Roles are what people were in it."""

from __future__ import annotations

from people.models import User
from rooms import permissions
from rooms.identity import Who
from rooms.models import Recording, Room, Seat
from rooms.refusals import RoomRefused, refuse
from rooms.rules.facts import enter


def role_in(user: User, room: Room) -> str:
    """What somebody is, or was, in a room: "host", "cohost", "speaker", or "listener"."""
    if room.host_id == user.pk:
        return "host"
    roles = set(Seat.objects.filter(room=room, user=user).values_list("role", flat=True))
    return next((role for role in ("cohost", "speaker") if role in roles), "listener")


def role_of(who: Who, room: Room) -> str:
    """The same for whoever asks, signed in or not."""
    return "listener" if who.user is None else role_in(who.user, room)


def published(room: Room) -> bool:
    """Whether its host lets everybody hear it, and there is something to hear."""
    return Recording.objects.filter(room=room, published_at__isnull=False, state=Recording.State.READY).exists()


def check_replay(room: Room, who: Who) -> str:
    """The role of who may hear a room again. Raises not_found for everybody else: they do not learn that it is there.

    A published replay is for everybody who may come into the room.
    """
    role = role_of(who, room)
    if permissions.may_replay(role=role, published=False) is None:
        return role
    refuse(permissions.may_replay(role=role, published=published(room)))
    try:
        enter(room, who)
    except RoomRefused as refused:
        raise RoomRefused("not_found") from refused
    return role


def may_replay(room: Room, who: Who) -> bool:
    """The same as a question."""
    try:
        check_replay(room, who)
    except RoomRefused:
        return False
    return True
