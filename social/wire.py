"""Messages of this app on a person's own channel, which every page of theirs hears."""

from __future__ import annotations

import json
from collections.abc import Collection
from typing import Literal, TypedDict

from core import bus
from people.channels import person_channel
from social.queries import unread_of_many

PERSONAL: tuple[str, ...] = ("unread",)


class Unread(TypedDict):
    """How many messages the person has not read. `messages` sets the number, and adds nothing."""

    type: Literal["unread"]
    messages: int


def tell_unread(users: Collection[int]) -> None:
    """Tell people, by primary key, how many messages they have not read; one query, one round trip. Call it after the
    commit."""
    counts = unread_of_many(users)
    bus.publish_many([(person_channel(pk), _encode({"type": "unread", "messages": counts.get(pk, 0)})) for pk in users])


def _encode(message: Unread) -> str:
    return json.dumps(message, separators=(",", ":"))
