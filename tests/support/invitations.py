"""Invitations, for tests: people who can be reached, lists that are answered, and what a reader sees."""

from __future__ import annotations

from typing import Any

from people.models import User
from rooms import actions
from rooms.models import Invitation, Room
from rooms.rules.identity import Who
from rooms.wire.snapshot import snapshot
from social.actions.messages import deliver_messages
from social.models import Message
from tests.support.people import person


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


def deliver() -> None:
    """Deliver what waits, as the task does."""
    deliver_messages(list(Message.objects.filter(delivered_at=None, withheld=False).values_list("pk", flat=True)))


def part(room: Room, user: User) -> Any:
    return snapshot(room.pk, Who.of_user(user))["you"]["parts"]["invitations"]
