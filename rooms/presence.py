"""Presence: the people connected to a room, in Redis, because the audience must not wait for a row lock.

A room has a sorted set of connections (`who|conn`, scored by expiry time) and a hash that counts them by person, so
that "how many people" and "is this person here" take one step each. Connections of a killed process expire after `TTL`
seconds. Everything runs in Lua on Redis' own clock, so that processes cannot race or disagree.

Of a round, in which a process renews its connections or asks who is here, Redis runs as many commands for a room with
one person as for one with a thousand (`CHUNK`).

Accounts whose last connection ended are kept for another `AROUND` seconds: their page may be loading again.

A third hash marks since when people on stage are away, as the periodic sweep saw it. A mark holds only for an unbroken
absence: entering removes it in the same step, `absences` removes the marks of people it is not called for, and all
marks of a room expire when no sweep ran for `AWAY_KEPT` seconds, because nobody recorded then who was here.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Collection, Iterable, Mapping, Sequence
from typing import Any, TypeVar

import redis.asyncio
from redis.exceptions import ResponseError

from core import bus, loops

log = logging.getLogger(__name__)

R = TypeVar("R")

TTL = 30  # seconds a connection counts without being refreshed
REFRESH = 10  # seconds between refreshes
LINGER = 10  # seconds for which a page that lost its connection counts as open: it may reconnect
BATCH = 5_000  # connections per script call
ROOMS = 200  # rooms per round trip
CHUNK = 1_000  # values of one command within a script: Lua's stack holds some thousand
AWAY_KEPT = 30  # seconds that marks of absence live without a sweep
AROUND = 30  # seconds for which an account that left still counts as around
COOKIES_KEPT = 3600  # seconds that listener cookies of accounts live after the last connection to the room
MOST_COOKIES = 20  # remembered of one account in one room

# KEYS: connections, people, marks of absence, listener cookies, accounts that left. Every script first removes expired
# connections.
_PRUNE = (
    f"local around, chunk = {AROUND * 1000}, {CHUNK}\n"
    + """
local function run(command, key, values)
  local answers = {}
  for start = 1, #values, chunk do
    local answer = redis.call(command, key, unpack(values, start, math.min(start + chunk - 1, #values)))
    if type(answer) == 'table' then
      for i = 1, #answer do answers[#answers + 1] = answer[i] end
    end
  end
  return answers
end
local function given(first)
  local values = {}
  for i = first, #ARGV do values[#values + 1] = ARGV[i] end
  return values
end
local t = redis.call('TIME')
local now = t[1] * 1000 + math.floor(t[2] / 1000)
local function gone(member)
  local who = string.match(member, '^([^|]*)|')
  if redis.call('HINCRBY', KEYS[2], who, -1) <= 0 then
    redis.call('HDEL', KEYS[2], who)
    if string.sub(who, 1, 2) == 'u:' then
      redis.call('ZREMRANGEBYSCORE', KEYS[5], '-inf', now - around)
      redis.call('ZADD', KEYS[5], now, who)
      redis.call('PEXPIRE', KEYS[5], around)
    end
    return 1
  end
  return 0
end
for _, member in ipairs(redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', now)) do
  redis.call('ZREM', KEYS[1], member)
  gone(member)
end
"""
)
# ARGV: ttl in ms, lifetime of cookies in s, members, each of them once. Returns how many people were not here before.
_ENTER = (
    _PRUNE
    + """
local members, scored, new = given(3), {}, 0
local known = run('ZMSCORE', KEYS[1], members)
for i, member in ipairs(members) do
  scored[2 * i - 1], scored[2 * i] = now + ARGV[1], member
  if not known[i] then
    local who = string.match(member, '^([^|]*)|')
    redis.call('HDEL', KEYS[3], who)
    if redis.call('HINCRBY', KEYS[2], who, 1) == 1 then new = new + 1 end
  end
end
run('ZADD', KEYS[1], scored)
redis.call('PEXPIRE', KEYS[1], ARGV[1] * 2)
redis.call('PEXPIRE', KEYS[2], ARGV[1] * 2)
redis.call('EXPIRE', KEYS[4], ARGV[2])
return new
"""
)
# ARGV: members. Returns how many people have no connection left.
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
# ARGV: people. Returns the number of all people here, then 1 or 0 for each of those given.
_LOOK = (
    _PRUNE
    + """
local answer, counts = { redis.call('HLEN', KEYS[2]) }, run('HMGET', KEYS[2], ARGV)
for i = 1, #ARGV do answer[i + 1] = counts[i] and 1 or 0 end
return answer
"""
)
# ARGV: now (Unix time), lifetime of marks in ms, people. Returns for each of them an empty text if they are here, else
# the Unix time since which they are away.
_ABSENCES = (
    _PRUNE
    + """
local people, marks, since, over = given(3), redis.call('HGETALL', KEYS[3]), {}, {}
for i = 1, #marks, 2 do
  since[marks[i]], over[marks[i]] = marks[i + 1], true
end
local counts, answer, new, gone = run('HMGET', KEYS[2], people), {}, {}, {}
for i, who in ipairs(people) do
  if counts[i] then
    answer[i] = ''
  else
    if not since[who] then
      since[who] = ARGV[1]
      new[#new + 1], new[#new + 2] = who, ARGV[1]
    end
    answer[i], over[who] = since[who], nil
  end
end
for who in pairs(over) do gone[#gone + 1] = who end
run('HSET', KEYS[3], new)
run('HDEL', KEYS[3], gone)
redis.call('PEXPIRE', KEYS[3], ARGV[2])
return answer
"""
)

# ARGV: a person, a page of theirs. Returns 1 if a connection of that page is here, else 0.
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


# Returns everybody who is here.
_PEOPLE = _PRUNE + "\nreturn redis.call('HKEYS', KEYS[2])\n"

# Returns everybody who is here, and accounts that left a moment ago.
_AROUND = (
    _PRUNE
    + """
local answer = redis.call('HKEYS', KEYS[2])
for _, who in ipairs(redis.call('ZRANGEBYSCORE', KEYS[5], now - around, '+inf')) do answer[#answer + 1] = who end
return answer
"""
)


def user_key(user_pk: int) -> str:
    """Key of an account as a person in a room; see `rooms.rules.identity.Who`."""
    return f"u:{user_pk}"


def _keys(room_pk: int) -> tuple[str, ...]:
    name = f"presence:{room_pk}"
    return bus.key(name), *(bus.key(f"{name}:{part}") for part in ("people", "away", "cookies", "left"))


def _run(client: Any, script: str, room_pk: int, *values: Any) -> Any:
    """Run a script on a room's keys. Returns its answer, or an awaitable where the client is asynchronous."""
    keys = _keys(room_pk)
    return client.eval(script, len(keys), *keys, *values)


def _pipeline(client: Any, script: str, batch: list[tuple[int, Sequence[str]]], *values: Any) -> Any:
    """Make a pipeline that runs a script for each room and its people; `values` are arguments common to all."""
    pipe = client.pipeline(transaction=False)
    for room_pk, people in batch:
        _run(pipe, script, room_pk, *values, *people)
    return pipe


async def enter(client: bus.Scripts, room_pk: int, members: Iterable[tuple[str, str]]) -> int:
    """Add or renew connections (who, conn) for another TTL. Returns how many people were not here before."""
    call: Any = _run(client, _ENTER, room_pk, TTL * 1000, COOKIES_KEPT, *_names(members))
    return int(await call)


def _names(members: Iterable[tuple[str, str]]) -> list[str]:
    return [f"{who}|{conn}" for who, conn in members]


async def enter_many(client: redis.asyncio.Redis, rooms: Mapping[int, Collection[tuple[str, str]]]) -> dict[int, int]:
    """`enter` for many rooms: one round trip, and one call for each room and BATCH connections. Returns how many people
    were not there before. A room whose keys hold values of another type is reported and missing."""
    pipe, calls = client.pipeline(transaction=False), []
    for room_pk, members in rooms.items():
        names = _names(members)
        for start in range(0, len(names), BATCH):
            _run(pipe, _ENTER, room_pk, TTL * 1000, COOKIES_KEPT, *names[start : start + BATCH])
            calls.append(room_pk)
    new: dict[int, int] = {}
    for room_pk, answer in zip(calls, await pipe.execute(raise_on_error=False), strict=True):
        if isinstance(answer, ResponseError):
            await loops.item_failed("presence", f"room {room_pk}", answer)
        elif isinstance(answer, Exception):
            raise answer
        else:
            new[room_pk] = new.get(room_pk, 0) + int(answer)
    return new


async def leave(client: bus.Scripts, room_pk: int, who: str, conn: str) -> bool:
    """Remove a connection. Returns whether the person has no other one to the room."""
    call: Any = _run(client, _LEAVE, room_pk, f"{who}|{conn}")
    return bool(await call)


def _lingering(room_pk: int, who: str, page: str) -> str:
    return bus.key(f"presence:{room_pk}:page:{who}:{page}")


async def linger(client: redis.asyncio.Redis, room_pk: int, who: str, page: str) -> None:
    """Count a page that used sound as open for LINGER more seconds: its connection may only be lost."""
    await client.set(_lingering(room_pk, who, page), "1", ex=LINGER)


def page_is_open(room_pk: int, who: str, page: str) -> bool:
    """Whether this page of a person is connected, or was within LINGER seconds. Raises RedisError."""
    client = bus.client()
    connected: Any = _run(client, _PAGE, room_pk, who, page)
    return bool(connected) or bool(client.exists(_lingering(room_pk, who, page)))


# KEYS: listener cookies, all of score 0, as `account|MAC`. ARGV: `account|`, MAC, most of one account, lifetime in s.
_REMEMBER = """
if redis.call('ZLEXCOUNT', KEYS[1], '[' .. ARGV[1], '(' .. ARGV[1] .. '~') < tonumber(ARGV[3]) then
  redis.call('ZADD', KEYS[1], 0, ARGV[1] .. ARGV[2])
end
redis.call('EXPIRE', KEYS[1], ARGV[4])
"""


def remember_cookie(room_pk: int, user_pk: int, mac: str) -> None:
    """Remember the MAC of the listener cookie in an account's browser (`identity.listener_mac`) while anybody is in the
    room, in case the account is removed from it. Raises RedisError."""
    key = _keys(room_pk)[3]
    bus.client().eval(_REMEMBER, 1, key, f"{user_pk}|", mac, MOST_COOKIES, COOKIES_KEPT)


def cookies_of_account(room_pk: int, user_pk: int) -> list[str]:
    """MACs remembered of an account in a room. Raises RedisError."""
    start = f"{user_pk}|"
    members: Any = bus.client().zrangebylex(_keys(room_pk)[3], f"[{start}", f"({start}~")
    return [member.removeprefix(start) for member in members]


async def alook(client: redis.asyncio.Redis, room_pk: int, people: list[str]) -> tuple[int, list[bool]]:
    """Count the people in a room, and tell for each of `people` whether they are here."""
    return _only(await alook_many(client, {room_pk: people}))


async def alook_many(
    client: redis.asyncio.Redis, rooms: Mapping[int, Sequence[str]]
) -> dict[int, tuple[int, list[bool]]]:
    """`alook` for many rooms: one round trip for every `ROOMS` of them.

    A room whose keys hold values of another type is logged and missing from the result.
    """
    people: dict[int, tuple[int, list[bool]]] = {}
    for batch in _batches(rooms):
        pipe = _pipeline(client, _LOOK, batch)
        people |= _counts(batch, await pipe.execute(raise_on_error=False))
    return people


def look(room_pk: int, people: list[str]) -> tuple[int, list[bool]]:
    """`alook` for synchronous code. Raises RedisError."""
    return _only(look_many({room_pk: people}))


def look_many(rooms: Mapping[int, Sequence[str]]) -> dict[int, tuple[int, list[bool]]]:
    """`alook_many` for synchronous code. Raises RedisError."""
    people: dict[int, tuple[int, list[bool]]] = {}
    for batch in _batches(rooms):
        pipe = _pipeline(bus.client(), _LOOK, batch)
        people |= _counts(batch, pipe.execute(raise_on_error=False))
    return people


def people_here(room_pk: int) -> tuple[set[int], int]:
    """Accounts that are connected to a room, and how many people are, anonymous ones included. Raises RedisError."""
    people = _run(bus.client(), _PEOPLE, room_pk)
    return {int(who.removeprefix("u:")) for who in people if who.startswith("u:")}, len(people)


def accounts_around(room_pk: int) -> set[int]:
    """Accounts that are connected to a room, or were within the last `AROUND` seconds. Raises RedisError."""
    people = _run(bus.client(), _AROUND, room_pk)
    return {int(who.removeprefix("u:")) for who in people if who.startswith("u:")}


def _batches(rooms: Mapping[int, Sequence[str]]) -> list[list[tuple[int, Sequence[str]]]]:
    items = list(rooms.items())
    return [items[start : start + ROOMS] for start in range(0, len(items), ROOMS)]


def _answers(batch: list[tuple[int, Sequence[str]]], answers: list[Any]) -> dict[int, list[Any]]:
    """Answers of Redis by room. An error about one room's keys is logged and that room left out; others are raised."""
    by_room: dict[int, list[Any]] = {}
    for (room_pk, _people), answer in zip(batch, answers, strict=True):
        if isinstance(answer, ResponseError):
            log.error("presence of room %s cannot be read: %s", room_pk, answer)
        elif isinstance(answer, Exception):
            raise answer
        else:
            by_room[room_pk] = answer
    return by_room


def _counts(batch: list[tuple[int, Sequence[str]]], answers: list[Any]) -> dict[int, tuple[int, list[bool]]]:
    return {
        room_pk: (int(answer[0]), [bool(here) for here in answer[1:]])
        for room_pk, answer in _answers(batch, answers).items()
    }


def _only(people: dict[int, tuple[int, list[bool]]]) -> tuple[int, list[bool]]:
    for answer in people.values():
        return answer
    raise ResponseError("presence of the room cannot be read")


def listening(present: int, seated_here: Iterable[bool]) -> int:
    """Size of the audience: people who are here and not on stage."""
    return max(0, present - sum(seated_here))


def absences(rooms: Mapping[int, Sequence[int]], now: float) -> dict[int, dict[int, float | None]]:
    """Unix time since which the given accounts of each room are away without a break; None for those who are here.

    An absence begins at the `now` of the first call that sees it. Call this for all accounts of a room whose absence
    counts: the marks of others are removed. One round trip for every `ROOMS` rooms; one that cannot be read is logged
    and missing. Raises RedisError.
    """
    away: dict[int, dict[int, float | None]] = {}
    for batch in _batches({pk: [user_key(user_pk) for user_pk in users] for pk, users in rooms.items()}):
        pipe = _pipeline(bus.client(), _ABSENCES, batch, repr(now), AWAY_KEPT * 1000)
        for room_pk, answer in _answers(batch, pipe.execute(raise_on_error=False)).items():
            since = [float(text) if text else None for text in answer]
            away[room_pk] = dict(zip(rooms[room_pk], since, strict=True))
    return away


async def skip_unreadable(work: Awaitable[R], room_pk: int) -> R | None:
    """Await work on one of many rooms. Report an error about that room's keys and return None, so that the other rooms
    are still served. Raises RedisError where Redis is away."""
    try:
        return await work
    except ResponseError as error:
        await loops.item_failed("presence", f"room {room_pk}", error)
        return None
