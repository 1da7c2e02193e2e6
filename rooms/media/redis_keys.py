"""Names in Redis for sound. Every key and channel stands under REDIS_PREFIX (`core.bus`)."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable
from typing import Any, TypeVar

from redis.exceptions import RedisError

from core.bus import key
from rooms.channels import MEDIA_CHANGED

REQUESTS = "media:requests"  # list: what web processes ask of the supervisor
HEARTBEAT = "media:heartbeat"  # JSON, gone 10 s after the supervisor's last sign of life
PROBE = "media:probe"  # JSON: whether Janus could write a recording, and when
DISK = "media:disk"  # JSON: whether recording is paused because the disk is full, and what was found
DISK_TOLD = "media:disk-told"  # there while operators know of a full disk and not yet that it is over
SESSION = "media:session"  # Janus' session, for a restarted supervisor
ROOMS = "media:rooms"  # hash: room → what was built for it
HANDLES = "media:handles"  # hash: handle → whose it is

PATIENCE = 3.0  # seconds Redis may take to answer

R = TypeVar("R")

log = logging.getLogger(__name__)


async def within(command: Awaitable[R], seconds: float = PATIENCE) -> R:
    """The answer of Redis to a command. Raises TimeoutError, which is an OSError: a Redis that hangs is away."""
    async with asyncio.timeout(seconds):
        return await command


def reply_channel(process: str) -> str:
    """Where the answers to one web process are published."""
    return key(f"media:replies:{process}")


async def hear_changes(redis: Any, changed: asyncio.Event) -> None:
    """Until cancelled: a room changed, look at once. Missed while Redis is away, made good by the next round."""
    while True:
        try:
            async with redis.pubsub(ignore_subscribe_messages=True) as channel:
                await channel.subscribe(key(MEDIA_CHANGED))
                async for _message in channel.listen():
                    changed.set()
        except (RedisError, OSError) as error:
            log.warning("changes are not heard: %s", error)
        await asyncio.sleep(0.5)
