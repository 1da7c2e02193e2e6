"""Invitations, for tests: people who can be reached, lists that are answered, and what a reader sees."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from people.models import User
from rooms import actions
from rooms.models import Invitation, Room
from rooms.rules.identity import Who
from rooms.wire.snapshot import snapshot
from tests.support.people import person
from tests.support.rooms import consented, open_room


def reachable(handle: str = "", **facts: Any) -> User:
    """An account to which everybody may write."""
    return person(handle, messages_from="everyone", **facts)


def ask(room: Room, by: User, *handles: str, kind: str = "speak") -> list[str]:
    """Invite, and return what each line is answered."""
    lines = actions.invite(room.pk, by, handles, kind)
    assert [line.user for line in lines] == list(handles)
    return [line.result for line in lines]


def invited(handle: str, room: Room, kind: str = "speak", **facts: Any) -> User:
    """An account that the host invited."""
    user = reachable(handle, **facts)
    assert ask(room, room.host, handle, kind=kind) == ["invited"]
    return user


def of(user: User, room: Room) -> Invitation:
    """The latest invitation of a person to a room."""
    return Invitation.objects.select_related("by").filter(room=room, user=user).latest("pk")


def part(room: Room, user: User) -> Any:
    return snapshot(room.pk, Who.of_user(user))["you"]["parts"]["invitations"]


def small_room(**values: Any) -> Room:
    """A live room with one place for a speaker, taken."""
    room = open_room(**{"speak_policy": "invited", **values})
    Room.objects.filter(pk=room.pk).update(max_speakers=1)
    room.refresh_from_db()
    invited("sitting", room)
    actions.take_seat(room.pk, consented(User.objects.by_handle("sitting"), room))  # type: ignore[arg-type]
    return room


def scheduled(room: Room) -> Room:
    """The same room, as it is before it opens."""
    at = timezone.now() + timedelta(hours=1)
    start = {"starts_at": at, "starts_zone": "UTC", "starts_wall": f"{at:%Y-%m-%dT%H:%M}"}
    Room.objects.filter(pk=room.pk).update(status="scheduled", started_at=None, **start)
    room.refresh_from_db()
    return room


def overhear(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, dict[str, Any]]]:
    """Messages outside the log, as (whom, message), from when they are written on."""
    heard: list[tuple[str, dict[str, Any]]] = []
    names = (("rooms.actions.invitations", "tell"), ("rooms.actions.announcing", "tell_each"))
    monkeypatch.setattr(f"{names[0][0]}.tell", lambda pk, message: heard.append((f"u:{pk}", dict(message))))
    monkeypatch.setattr(
        f"{names[1][0]}.tell_each", lambda all_: heard.extend((f"u:{pk}", dict(message)) for pk, message in all_)
    )
    for module in ("invitations", "invitation_rows", "links"):
        monkeypatch.setattr(
            f"rooms.actions.{module}.tell_host_side",
            lambda room, *all_: heard.extend((f"host:{room.pk}", dict(message)) for message in all_),
        )
    return heard
