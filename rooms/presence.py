"""Who is connected to a room: in Redis, because the audience must not queue on a row of the database.

A room has a sorted set of connections (`who|conn`, scored by when each expires) and a hash that counts them by
person, so that "how many people" and "is this person here" are one step each. Connections that a killed process
left behind expire after `TTL` seconds. All of it in Lua on Redis' own clock: processes cannot race or disagree.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import redis.asyncio

from rooms import bus

TTL = 30  # seconds a connection counts without being refreshed
REFRESH = 10  # seconds between refreshes
LINGER = 10  # seconds for which a page that lost its line counts as open: it is coming back
BATCH = 500  # connections a script call

# KEYS: connections, people. Every script first forgets who expired.
_PRUNE = """
local t = redis.call('TIME')
local now = t[1] * 1000 + math.floor(t[2] / 1000)
local function gone(member)
  local who = string.match(member, '^([^|]*)|')
  if redis.call('HINCRBY', KEYS[2], who, -1) <= 0 then
    redis.call('HDEL', KEYS[2], who)
    return 1
  end
  return 0
end
for _, member in ipairs(redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', now)) do
  redis.call('ZREM', KEYS[1], member)
  gone(member)
end
"""
# ARGV: ttl in ms, members. Returns how many people came in by it.
_ENTER = (
    _PRUNE
    + """
local new = 0
for i = 2, #ARGV do
  if redis.call('ZADD', KEYS[1], now + ARGV[1], ARGV[i]) == 1 then
    local who = string.match(ARGV[i], '^([^|]*)|')
    if redis.call('HINCRBY', KEYS[2], who, 1) == 1 then new = new + 1 end
  end
end
redis.call('PEXPIRE', KEYS[1], ARGV[1] * 2)
redis.call('PEXPIRE', KEYS[2], ARGV[1] * 2)
return new
"""
)
# ARGV: members. Returns how many people left by it.
_LEAVE = (
    _PRUNE
    + """
local left = 0
for i = 1, #ARGV do
  if redis.call('ZREM', KEYS[1], ARGV[i]) == 1 then left = left + gone(ARGV[i]) end
end
return left
"""
)
# ARGV: people asked about. Returns the number of people here, then 1 or 0 for each of them.
_LOOK = (
    _PRUNE
    + """
local answer = { redis.call('HLEN', KEYS[2]) }
for i = 1, #ARGV do answer[i + 1] = redis.call('HEXISTS', KEYS[2], ARGV[i]) end
return answer
"""
)

# ARGV: a person, a page of theirs. Whether a connection of that page is here.
_PAGE = (
    _PRUNE
    + """
if redis.call('HEXISTS', KEYS[2], ARGV[1]) == 0 then return 0 end
for _, member in ipairs(redis.call('ZRANGE', KEYS[1], 0, -1)) do
  if string.find(member, ARGV[1] .. '|', 1, true) == 1 and string.find(member, '.' .. ARGV[2] .. '.', 1, true) then
    return 1
  end
end
return 0
"""
)


def user_key(user_pk: int) -> str:
    return f"u:{user_pk}"


def _keys(room_pk: int) -> tuple[str, str]:
    return bus.key(f"presence:{room_pk}"), bus.key(f"presence:{room_pk}:people")


async def enter(client: redis.asyncio.Redis, room_pk: int, members: Iterable[tuple[str, str]]) -> int:
    """These (who, conn) are connected for another TTL. Returns how many people were not here before."""
    names = [f"{who}|{conn}" for who, conn in members]
    new = 0
    for start in range(0, len(names), BATCH):
        call: Any = client.eval(_ENTER, 2, *_keys(room_pk), TTL * 1000, *names[start : start + BATCH])
        new += int(await call)
    return new


async def leave(client: redis.asyncio.Redis, room_pk: int, who: str, conn: str) -> bool:
    """This connection closed. True when the person has no other one to the room."""
    call: Any = client.eval(_LEAVE, 2, *_keys(room_pk), f"{who}|{conn}")
    return bool(await call)


def _lingering(room_pk: int, who: str, page: str) -> str:
    return bus.key(f"presence:{room_pk}:page:{who}:{page}")


async def linger(client: redis.asyncio.Redis, room_pk: int, who: str, page: str) -> None:
    """The line of a page that used sound closed; the page may only have lost it."""
    await client.set(_lingering(room_pk, who, page), "1", ex=LINGER)


def page_is_open(room_pk: int, who: str, page: str) -> bool:
    """Whether this page of a person is connected, or was a moment ago. Raises RedisError."""
    client = bus.client()
    found: Any = client.eval(_PAGE, 2, *_keys(room_pk), who, page)
    return bool(found) or bool(client.exists(_lingering(room_pk, who, page)))


async def alook(client: redis.asyncio.Redis, room_pk: int, people: list[str]) -> tuple[int, list[bool]]:
    """How many people are here, and which of `people` are."""
    call: Any = client.eval(_LOOK, 2, *_keys(room_pk), *people)
    answer = await call
    return int(answer[0]), [bool(here) for here in answer[1:]]


def look(room_pk: int, people: list[str]) -> tuple[int, list[bool]]:
    """`alook` for code that waits. Raises RedisError."""
    answer: Any = bus.client().eval(_LOOK, 2, *_keys(room_pk), *people)
    return int(answer[0]), [bool(here) for here in answer[1:]]


def listening(present: int, seated_here: Iterable[bool]) -> int:
    """People in the audience: who is here and not on stage."""
    return max(0, present - sum(seated_here))


def count(room_pk: int) -> int:
    """How many people are connected, stage and audience. Raises RedisError."""
    return look(room_pk, [])[0]


def is_connected(room_pk: int, user_pk: int) -> bool:
    """Is this person connected by any of their pages? Raises RedisError."""
    return look(room_pk, [user_key(user_pk)])[1][0]


def away_since(room_pk: int, user_pk: int, here: bool, now: float) -> float | None:
    """When (Unix time) a sweep first found this person away, `now` if it is this one; None while here."""
    name, field = bus.key(f"away:{room_pk}"), str(user_pk)
    client = bus.client()
    if here:
        client.hdel(name, field)
        return None
    client.hsetnx(name, field, repr(now))
    client.expire(name, 24 * 3600)
    found: Any = client.hget(name, field)
    return float(found)
