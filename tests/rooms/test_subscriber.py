"""Subscriptions that are asked for in the same moment go in one command, and never out of order."""

from __future__ import annotations

import asyncio
from typing import Any

from redis.exceptions import ConnectionError

from rooms.live.subscriber import Subscriber


class Connection:
    """A connection to Redis that only notes what it is asked to send."""

    def __init__(self) -> None:
        self.sent: list[tuple[str, tuple[str, ...]]] = []
        self.fails = False

    async def subscribe(self, *channels: str) -> None:
        self.sent.append(("subscribe", channels))
        if self.fails:
            raise ConnectionError("away")

    async def unsubscribe(self, *channels: str) -> None:
        self.sent.append(("unsubscribe", channels))


def asked(subscriber: Subscriber, *asked: tuple[str, str]) -> Any:
    return asyncio.gather(*(getattr(subscriber, verb)(channel) for verb, channel in asked))


async def test_what_is_asked_together_is_sent_in_order() -> None:
    subscriber = Subscriber()
    await asked(subscriber, ("subscribe", "nobody hears this: the reconnect subscribes it"))
    connection = subscriber.pubsub = Connection()
    await asked(
        subscriber,
        *[("subscribe", "a"), ("subscribe", "b"), ("unsubscribe", "a")],
        *[("unsubscribe", "c"), ("subscribe", "a"), ("subscribe", "c")],
    )
    assert connection.sent == [
        ("subscribe", ("a", "b")),
        ("unsubscribe", ("a", "c")),
        ("subscribe", ("a", "c")),
    ]


async def test_a_connection_that_is_lost_keeps_nobody_waiting() -> None:
    subscriber, connection = Subscriber(), Connection()
    subscriber.pubsub, connection.fails = connection, True
    await asked(subscriber, ("subscribe", "a"), ("unsubscribe", "b"))
    assert connection.sent == [("subscribe", ("a",))], "nothing more is sent: that would connect it again, unnoticed"
    assert subscriber.pubsub is None, "the hub notices, and subscribes all anew"
    await subscriber.subscribe("c")
    assert len(connection.sent) == 1
