"""Listeners who chose to be seen or unseen, on their way to those who see them: kept in Redis for a tick.

A room has a set of accounts, which the hubs take once a second, so that a crowd that chooses at once makes one message
for each reader. A sorted set names the rooms that have something to take, by the time of the last choice; one whose
listeners are all gone runs out with its accounts.
"""

from __future__ import annotations

from typing import Any

import redis.asyncio

from core import bus

PACE = 900  # ms between two takings of a room, by whatever process
MOST = 100  # accounts that are taken at once; the others at the next tick
KEPT = 60  # seconds that they wait without anybody to take them

# KEYS: accounts, rooms. ARGV: account, room, lifetime in seconds.
_NOTE = """
redis.call('SADD', KEYS[1], ARGV[1])
redis.call('EXPIRE', KEYS[1], ARGV[3])
redis.call('ZADD', KEYS[2], redis.call('TIME')[1], ARGV[2])
return 1
"""
# KEYS: rooms. ARGV: lifetime in seconds. Returns the rooms that did not run out.
_DUE = """
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', redis.call('TIME')[1] - ARGV[1])
return redis.call('ZRANGE', KEYS[1], 0, -1)
"""
# KEYS: accounts, rooms, pace. ARGV: room, pace in ms, most. Returns accounts; none where some were taken a moment ago.
_TAKE = """
if not redis.call('SET', KEYS[3], '1', 'NX', 'PX', ARGV[2]) then return {} end
local accounts = redis.call('SPOP', KEYS[1], ARGV[3])
if redis.call('EXISTS', KEYS[1]) == 0 then redis.call('ZREM', KEYS[2], ARGV[1]) end
return accounts
"""


def _rooms() -> str:
    return bus.key("seen:due")


def _key(room_pk: int, part: str) -> str:
    return bus.key(f"seen:{room_pk}:{part}")


def note(room_pk: int, user_pk: int) -> None:
    """Note that an account is seen from now on, or no longer. Raises RedisError."""
    bus.client().eval(_NOTE, 2, _key(room_pk, "accounts"), _rooms(), user_pk, room_pk, KEPT)


async def adue(client: redis.asyncio.Redis) -> list[int]:
    """Rooms in which somebody was noted. Raises RedisError."""
    found: Any = client.eval(_DUE, 1, _rooms(), KEPT)
    return sorted(int(room_pk) for room_pk in await found)


async def atake(client: redis.asyncio.Redis, room_pk: int) -> list[int]:
    """Take at most MOST of the accounts that were noted. Raises RedisError."""
    keys = (_key(room_pk, "accounts"), _rooms(), _key(room_pk, "pace"))
    taken: Any = client.eval(_TAKE, 3, *keys, room_pk, PACE, MOST)
    return [int(user_pk) for user_pk in await taken]
