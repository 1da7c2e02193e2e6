"""Rooms where people ask to speak, for tests."""

from __future__ import annotations

from typing import Any

from people.models import User
from rooms import actions
from rooms.models import Hand, Room
from rooms.rules.identity import Who
from rooms.wire.snapshot import snapshot
from tests.support.people import person
from tests.support.rooms import consented, open_room


def picky_room(**values: Any) -> Room:
    """A room where others than those whom the host follows raise a hand."""
    return open_room(**{"speak_policy": "followed", **values})


def raised(handle: str, room: Room) -> User:
    user = consented(person(handle), room)
    actions.raise_hand(room.pk, user)
    return user


def queue(room: Room) -> list[str]:
    up = Hand.objects.filter(room=room, lowered_at=None).order_by("raised_at", "id")
    return list(up.values_list("user__handle", flat=True))


def outcomes(room: Room) -> dict[str, str]:
    return dict(Hand.objects.filter(room=room).order_by("id").values_list("user__handle", "outcome"))


def part(room: Room, user: User) -> Any:
    return snapshot(room.pk, Who.of_user(user))["you"]["parts"]["hands"]
