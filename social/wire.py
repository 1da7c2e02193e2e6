"""Messages of this app to every page of a person, on their own channel; those to many people on the channel of all
hubs."""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Collection, Iterator, Mapping
from typing import Any, Literal, TypedDict

from redis.exceptions import RedisError

from core import bus
from people.channels import people_channel, person_channel
from social.queries import unread_of_many

log = logging.getLogger(__name__)

PERSONAL: tuple[str, ...] = ("unread",)
MOST_PEOPLE = 500  # in one message to all hubs: some 10 KB


class Unread(TypedDict):
    """How many messages the person has not read. `messages` sets the number, and adds nothing; it was counted at `at`
    or later (microseconds on Redis' clock), so of two the one with the greater `at` is right."""

    type: Literal["unread"]
    messages: int
    at: int


class UnreadOfMany(TypedDict):
    """Between processes: `unread` for many people, [primary key, number] each, all counted at `at` or later."""

    type: Literal["unread"]
    people: list[tuple[int, int]]
    at: int


def tell_unread(users: Collection[int]) -> None:
    """Tell people, by primary key, how many messages they have not read: one query, two round trips. Call it after the
    commit. Where Redis is away nobody is told: sockets read the number again when it is back.

    One person is told on their own channel, which only the processes with a page of theirs hear; many are told in one
    message to all, because a message for each costs more than its delivery.
    """
    if not users:
        return
    at, counts = _counted(users)
    if len(counts) == 1:
        bus.publish_many([(person_channel(pk), encode(unread(number, at))) for pk, number in counts.items()])
        return
    people = list(counts.items())
    batches = [people[start : start + MOST_PEOPLE] for start in range(0, len(people), MOST_PEOPLE)]
    bus.publish_many([(people_channel(), encode({"type": "unread", "people": some, "at": at})) for some in batches])


def each_unread(message: Mapping[str, Any]) -> Iterator[tuple[int, str, int]]:
    """Take an `UnreadOfMany` apart: (primary key, text for this person's pages, `at`) for each. Raises ValueError for
    what is none, before anything."""
    people, at = message.get("people"), message.get("at")
    if type(at) is not int or not isinstance(people, list) or not all(map(_is_pair, people)):
        raise ValueError("no numbers of unread messages")
    texts = {number: encode(unread(number, at)) for number in {number for _pk, number in people}}
    return ((pk, texts[number], at) for pk, number in people)


def _is_pair(value: Any) -> bool:
    return isinstance(value, list) and len(value) == 2 and all(type(number) is int for number in value)


def unread_messages(users: Collection[int]) -> dict[int, Unread]:
    """Count what people, by primary key, have not read; one query."""
    at, counts = _counted(users)
    return {pk: unread(number, at) for pk, number in counts.items()}


def _counted(users: Collection[int]) -> tuple[int, dict[int, int]]:
    """Count, for each person, what they have not read; returns the moment first.

    The clock is read before the count: two counts may be published in either order, and the later clock has seen all
    that the earlier one had to tell.
    """
    at = _micros()
    counts = unread_of_many(users)
    return at, {pk: counts.get(pk, 0) for pk in users}


def unread(number: int, at: int) -> Unread:
    return {"type": "unread", "messages": number, "at": at}


def _micros() -> int:
    """Read one clock for all processes, that of Redis; without it this machine's own, which is nearly the same."""
    try:
        seconds, micros = bus.client().time()
    except RedisError as error:
        log.warning("the clock of Redis cannot be read: %s", error)
        return time.time_ns() // 1000
    return int(seconds) * 1_000_000 + int(micros)


def encode(message: Unread | UnreadOfMany) -> str:
    return json.dumps(message, separators=(",", ":"))
