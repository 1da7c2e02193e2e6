"""How often one person may act in rooms: the house's token bucket in Redis, the same for WebSockets and the API."""

from __future__ import annotations

import logging
from dataclasses import dataclass

import redis.asyncio
from redis.exceptions import RedisError

from people import throttle as buckets
from rooms.refusals import RoomRefused

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Limit:
    """`burst` at once, then `per_minute`."""

    name: str
    per_minute: float
    burst: int


ACTIONS = Limit("act", 120, 40)
OPENING = Limit("open", 6, 6)
DOWNLOADS = Limit("download", 6, 10)
SOUND = Limit("sound", 900, 180)


def check(limit: Limit, who_key: str) -> None:
    """For code that waits. Raises too_fast. Without Redis everybody passes: the rules of rooms are in PostgreSQL."""
    try:
        wait = buckets.take(f"{limit.name}:{who_key}", per_minute=limit.per_minute, burst=limit.burst)
    except RedisError as error:
        log.warning("not throttled, Redis is away: %s", error)
        return
    if wait:
        raise RoomRefused("too_fast")


async def acheck(client: redis.asyncio.Redis, limit: Limit, who_key: str, code: str = "too_fast") -> None:
    """The same for sockets, on the hub's connection; raises `code`."""
    try:
        wait = await buckets.atake(client, f"{limit.name}:{who_key}", per_minute=limit.per_minute, burst=limit.burst)
    except (RedisError, OSError) as error:
        log.warning("not throttled, Redis is away: %s", error)
        return
    if wait:
        raise RoomRefused(code)
