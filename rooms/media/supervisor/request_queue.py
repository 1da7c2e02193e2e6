"""Requests of web processes, taken off their list in Redis and answered on the process' own channel."""

from __future__ import annotations

import asyncio
import json
import logging
import time
from weakref import WeakValueDictionary

from redis.exceptions import RedisError

from core import bus, loops
from rooms.media import redis_keys
from rooms.media.supervisor import verbs
from rooms.media.supervisor.context import Context

log = logging.getLogger(__name__)


class RequestQueue:
    """Server of requests: side by side, but those of one line one after the other."""

    def __init__(self, context: Context) -> None:
        self.context = context
        # A line's lock lives as long as somebody stands in the line.
        self._lines: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()

    async def serve_forever(self) -> None:
        """Take and serve requests until cancelled."""
        while True:
            try:
                taken = await redis_keys.within(
                    self.context.redis.blpop([bus.key(redis_keys.REQUESTS)], timeout=5), 5 + redis_keys.PATIENCE
                )
            except (RedisError, OSError) as error:
                log.warning("requests are not heard: %s", error)
                await asyncio.sleep(0.5)
                continue
            if taken is not None:
                try:
                    self.context.start(self._serve(verbs.Request(json.loads(taken[1]))))
                except Exception as error:  # it is none
                    await loops.item_failed("media-requests", "a request", error)

    async def _serve(self, request: verbs.Request) -> None:
        """Serve one request and answer it; one that nobody waits for any more is dropped."""
        lock = self._lines.setdefault(request.line, asyncio.Lock())
        async with lock:
            if time.time() > request.until and request.verb != "gone":
                return
            answer = await verbs.answer(self.context, request)
        if request.process:
            await self.context.publish(redis_keys.reply_channel(request.process), {"id": request.id, **answer})
