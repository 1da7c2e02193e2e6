"""Messages of this app on a person's own channel, which every page of theirs hears."""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Collection
from typing import Literal, TypedDict

from redis.exceptions import RedisError

from core import bus
from people.channels import person_channel
from social.queries import unread_of_many

log = logging.getLogger(__name__)

PERSONAL: tuple[str, ...] = ("unread",)


class Unread(TypedDict):
    """How many messages the person has not read. `messages` sets the number, and adds nothing; it was counted at `at`
    or later (microseconds on Redis' clock), so of two the one with the greater `at` is right."""

    type: Literal["unread"]
    messages: int
    at: int


def tell_unread(users: Collection[int]) -> None:
    """Tell people, by primary key, how many messages they have not read: one query, two round trips. Call it after the
    commit. Where Redis is away nobody is told: sockets read the number again when it is back."""
    if users:
        told = unread_messages(users)
        bus.publish_many([(person_channel(pk), encode(message)) for pk, message in told.items()])


def unread_messages(users: Collection[int]) -> dict[int, Unread]:
    """Count what people have not read.

    The clock is read before the count: two counts may be published in either order, and the later clock has seen all
    that the earlier one had to tell.
    """
    at = _micros()
    counts = unread_of_many(users)
    return {pk: {"type": "unread", "messages": counts.get(pk, 0), "at": at} for pk in users}


def _micros() -> int:
    """Read one clock for all processes, that of Redis; without it this machine's own, which is nearly the same."""
    try:
        seconds, micros = bus.client().time()
    except RedisError as error:
        log.warning("the clock of Redis cannot be read: %s", error)
        return time.time_ns() // 1000
    return int(seconds) * 1_000_000 + int(micros)


def encode(message: Unread) -> str:
    return json.dumps(message, separators=(",", ":"))
