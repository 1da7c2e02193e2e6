"""The supervisor's signs of life in Redis: a heartbeat, and whether Janus could write a probe recording."""

from __future__ import annotations

import asyncio
import json
import logging
import os
import time
from contextlib import suppress

from redis.exceptions import RedisError

from core import bus
from rooms.media import redis_keys
from rooms.media.janus.probe import KEPT, probe
from rooms.media.supervisor.context import Context

log = logging.getLogger(__name__)

HEARTBEAT_TTL = 10


async def write_heartbeats(context: Context) -> None:
    """Write a heartbeat each second, and the state again after Redis was away, until cancelled."""
    while True:
        alive = {
            "at": time.time(),
            "pid": os.getpid(),
            "janus": context.connected,
            "rooms": len(context.studios),
            "near": len(context.state.of("listen")),
        }
        try:
            await redis_keys.within(
                context.redis.set(bus.key(redis_keys.HEARTBEAT), json.dumps(alive), ex=HEARTBEAT_TTL)
            )
            if context.connected:
                await context.state.repair()
        except (RedisError, OSError) as error:
            log.warning("no heartbeat: %s", error)
        await asyncio.sleep(1)


async def write_probe(context: Context) -> None:
    """Try a probe recording and write the result down; while recording is paused, say so instead."""
    result = {"ok": False, "why": context.disk.why} if context.disk.shut else await probe(context.janus)
    with suppress(RedisError, OSError):
        await redis_keys.within(context.redis.set(bus.key(redis_keys.PROBE), json.dumps(result), ex=KEPT))
