"""Subscriptions of a hub in Redis: in the order in which they are asked for, those of the same moment in one command. A
crowd that comes or goes would else send a command for each person."""

from __future__ import annotations

import asyncio
import logging
from itertools import groupby
from operator import itemgetter
from typing import Any

from core import bus
from core.together import Together

log = logging.getLogger(__name__)


class Subscriber:
    """Subscriptions of one connection; `pubsub` is None while Redis is away. Then nothing is sent: the reconnect
    subscribes all channels."""

    def __init__(self) -> None:
        self.pubsub: Any = None
        self._together: Together[tuple[str, str], None] = Together(self._send, "subscribe")

    async def subscribe(self, channel: str) -> None:
        """Subscribe a channel; returns when that is sent."""
        await self._together.ask(("subscribe", channel))

    async def unsubscribe(self, channel: str) -> None:
        """Unsubscribe a channel; returns when that is sent."""
        await self._together.ask(("unsubscribe", channel))

    async def _send(self, asked: list[tuple[str, str]]) -> list[None]:
        for verb, group in groupby(asked, itemgetter(0)):
            channels = [channel for _verb, channel in group]
            if self.pubsub is None:
                break
            try:
                async with asyncio.timeout(bus.CONNECTION_WITHIN):
                    await getattr(self.pubsub, verb)(*channels)
            except Exception as error:  # whatever it is, those who join or leave go on
                log.warning("could not %s %s yet: %s", verb, channels[0], error)
                self.pubsub = None  # the hub subscribes all anew; this one would by itself, and nobody would notice
        return [None] * len(asked)
