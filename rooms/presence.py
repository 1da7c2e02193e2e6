"""Who is connected to a room: in Redis, because the audience must not queue on a row of the database.

A room has a sorted set of connections (`who|conn`, scored by when each expires) and a hash that counts them by
person, so that "how many people" and "is this person here" are one step each. Connections that a killed process
left behind expire after `TTL` seconds. All of it in Lua on Redis' own clock: processes cannot race or disagree.

A third hash says since when people of the stage are away, as the room's clock saw it. A mark is good only while that
person has been away without a break: whoever comes in loses it in the same step, the clock keeps marks of those alone
that it asks about, and all of a room's run out when no clock came by for `AWAY_KEPT` seconds, because nobody knows then
who was here meanwhile.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Iterable, Mapping, Sequence
from typing import Any, TypeVar

import redis.asyncio
from redis.exceptions import ResponseError

from core import bus, loops

log = logging.getLogger(__name__)

R = TypeVar("R")

TTL = 30  # seconds a connection counts without being refreshed
REFRESH = 10  # seconds between refreshes
LINGER = 10  # seconds for which a page that lost its line counts as open: it is coming back
BATCH = 500  # connections a script call
ROOMS = 200  # rooms a round trip
AWAY_KEPT = 30  # seconds that marks of absence are good without a look at the room

# KEYS: connections, people, marks of absence. Every script first forgets who expired.
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
    redis.call('HDEL', KEYS[3], who)
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
# ARGV: now (Unix time), how long marks are kept in ms, people asked about. Returns for each of them nothing where they
# are here, else since when they are away.
_WATCH = (
    _PRUNE
    + """
local over = {}
for _, who in ipairs(redis.call('HKEYS', KEYS[3])) do over[who] = true end
local answer = {}
for i = 3, #ARGV do
  if redis.call('HEXISTS', KEYS[2], ARGV[i]) == 1 then
    answer[i - 2] = ''
  else
    redis.call('HSETNX', KEYS[3], ARGV[i], ARGV[1])
    answer[i - 2] = redis.call('HGET', KEYS[3], ARGV[i])
    over[ARGV[i]] = nil
  end
end
for who in pairs(over) do redis.call('HDEL', KEYS[3], who) end
redis.call('PEXPIRE', KEYS[3], ARGV[2])
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


def _keys(room_pk: int) -> tuple[str, str, str]:
    name = f"presence:{room_pk}"
    return bus.key(name), bus.key(f"{name}:people"), bus.key(f"{name}:away")


def _run(client: Any, script: str, room_pk: int, *values: Any) -> Any:
    """A script on a room's keys: its answer, or what is awaited for it."""
    keys = _keys(room_pk)
    return client.eval(script, len(keys), *keys, *values)


def _asked(client: Any, script: str, some: list[tuple[int, Sequence[str]]], *values: Any) -> Any:
    """A pipeline that runs a script for each of these rooms and people, after `values` that are the same for all."""
    pipe = client.pipeline(transaction=False)
    for room_pk, people in some:
        _run(pipe, script, room_pk, *values, *people)
    return pipe


async def enter(client: redis.asyncio.Redis, room_pk: int, members: Iterable[tuple[str, str]]) -> int:
    """These (who, conn) are connected for another TTL. Returns how many people were not here before."""
    names = [f"{who}|{conn}" for who, conn in members]
    new = 0
    for start in range(0, len(names), BATCH):
        call: Any = _run(client, _ENTER, room_pk, TTL * 1000, *names[start : start + BATCH])
        new += int(await call)
    return new


async def leave(client: redis.asyncio.Redis, room_pk: int, who: str, conn: str) -> bool:
    """This connection closed. True when the person has no other one to the room."""
    call: Any = _run(client, _LEAVE, room_pk, f"{who}|{conn}")
    return bool(await call)


def _lingering(room_pk: int, who: str, page: str) -> str:
    return bus.key(f"presence:{room_pk}:page:{who}:{page}")


async def linger(client: redis.asyncio.Redis, room_pk: int, who: str, page: str) -> None:
    """The line of a page that used sound closed; the page may only have lost it."""
    await client.set(_lingering(room_pk, who, page), "1", ex=LINGER)


def page_is_open(room_pk: int, who: str, page: str) -> bool:
    """Whether this page of a person is connected, or was a moment ago. Raises RedisError."""
    client = bus.client()
    found: Any = _run(client, _PAGE, room_pk, who, page)
    return bool(found) or bool(client.exists(_lingering(room_pk, who, page)))


async def alook(client: redis.asyncio.Redis, room_pk: int, people: list[str]) -> tuple[int, list[bool]]:
    """How many people are here, and which of `people` are."""
    return _only(await alook_many(client, {room_pk: people}))


async def alook_many(
    client: redis.asyncio.Redis, rooms: Mapping[int, Sequence[str]]
) -> dict[int, tuple[int, list[bool]]]:
    """`alook` for the people of many rooms: one round trip for every `ROOMS` of them.

    A room that cannot be read, because something else stands under its keys, is logged and missing.
    """
    found: dict[int, tuple[int, list[bool]]] = {}
    for some in _some(rooms):
        pipe = _asked(client, _LOOK, some)
        found |= _looked(some, await pipe.execute(raise_on_error=False))
    return found


def look(room_pk: int, people: list[str]) -> tuple[int, list[bool]]:
    """`alook` for code that waits. Raises RedisError."""
    return _only(look_many({room_pk: people}))


def look_many(rooms: Mapping[int, Sequence[str]]) -> dict[int, tuple[int, list[bool]]]:
    """`alook_many` for code that waits. Raises RedisError."""
    found: dict[int, tuple[int, list[bool]]] = {}
    for some in _some(rooms):
        pipe = _asked(bus.client(), _LOOK, some)
        found |= _looked(some, pipe.execute(raise_on_error=False))
    return found


def _some(rooms: Mapping[int, Sequence[str]]) -> list[list[tuple[int, Sequence[str]]]]:
    items = list(rooms.items())
    return [items[start : start + ROOMS] for start in range(0, len(items), ROOMS)]


def _read(some: list[tuple[int, Sequence[str]]], answers: list[Any]) -> dict[int, list[Any]]:
    """The answers of Redis by room. An answer that tells of one room's keys is that room's alone; others are raised."""
    found: dict[int, list[Any]] = {}
    for (room_pk, _people), answer in zip(some, answers, strict=True):
        if isinstance(answer, ResponseError):
            log.error("presence of room %s cannot be read: %s", room_pk, answer)
        elif isinstance(answer, Exception):
            raise answer
        else:
            found[room_pk] = answer
    return found


def _looked(some: list[tuple[int, Sequence[str]]], answers: list[Any]) -> dict[int, tuple[int, list[bool]]]:
    return {
        room_pk: (int(answer[0]), [bool(here) for here in answer[1:]])
        for room_pk, answer in _read(some, answers).items()
    }


def _only(found: dict[int, tuple[int, list[bool]]]) -> tuple[int, list[bool]]:
    for answer in found.values():
        return answer
    raise ResponseError("presence of the room cannot be read")


def listening(present: int, seated_here: Iterable[bool]) -> int:
    """People in the audience: who is here and not on stage."""
    return max(0, present - sum(seated_here))


def count(room_pk: int) -> int:
    """How many people are connected, stage and audience. Raises RedisError."""
    return look(room_pk, [])[0]


def is_connected(room_pk: int, user_pk: int) -> bool:
    """Is this person connected by any of their pages? Raises RedisError."""
    return look(room_pk, [user_key(user_pk)])[1][0]


def watch(rooms: Mapping[int, Sequence[int]], now: float) -> dict[int, dict[int, float | None]]:
    """Since when (Unix time) the watched accounts of each room are away without a break; None for those who are here.

    Whoever is away for the first time is from `now` on. Call it for all accounts of a room whose absence counts: what
    was known of others is forgotten. One round trip for every `ROOMS` rooms; one that cannot be read is logged and
    missing. Raises RedisError.
    """
    found: dict[int, dict[int, float | None]] = {}
    for some in _some({pk: [user_key(user_pk) for user_pk in users] for pk, users in rooms.items()}):
        pipe = _asked(bus.client(), _WATCH, some, repr(now), AWAY_KEPT * 1000)
        for room_pk, answer in _read(some, pipe.execute(raise_on_error=False)).items():
            since = [float(text) if text else None for text in answer]
            found[room_pk] = dict(zip(rooms[room_pk], since, strict=True))
    return found


async def apart(work: Awaitable[R], room_pk: int) -> R | None:
    """The answer about one of many rooms; None where something else than ours stands under its keys, which is
    reported and keeps no other room waiting. Raises RedisError where Redis is away."""
    try:
        return await work
    except ResponseError as error:
        await loops.item_failed("presence", f"room {room_pk}", error)
        return None
