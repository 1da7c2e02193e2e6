"""Reactions on their way: counted in Redis, taken once a tick for the listeners, and by the clock for PostgreSQL.

A room has a hash of the current tick (`second:kind:tone` → number), into which each reaction is one step. `take`
empties it in one step into a second hash that waits to be written (`second:kind` → number; tones are not kept). `batch`
sets the waiting counts apart under an id of their own, which stays the same until `finish_batch`: what was read is
written once, however often a process is killed in between. Nobody's name or key is in any of it.

Two sets name the rooms that have something to take (`reactions:due`) and to write (`reactions:waiting`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID, uuid4

import redis.asyncio

from core import bus

PACE = 900  # ms between two takings of a room's tick, by whatever process
KEPT = 24 * 3600  # seconds that counts wait without being touched: a worker that is down loses none until then

Counts = dict[str, dict[str, int]]
"""Number of reactions by kind and, within a kind, by tone."""

# KEYS: tick, due rooms. ARGV: field, room, lifetime in seconds.
_COUNT = """
if redis.call('HINCRBY', KEYS[1], ARGV[1], 1) == 1 then
  redis.call('SADD', KEYS[2], ARGV[2])
  redis.call('EXPIRE', KEYS[1], ARGV[3])
end
return 1
"""
# KEYS: tick, due rooms, waiting counts, waiting rooms, pace. ARGV: room, pace in ms, lifetime in seconds. Returns the
# tick's fields and numbers in turn; nothing where it was taken a moment ago.
_TAKE = """
if not redis.call('SET', KEYS[5], '1', 'NX', 'PX', ARGV[2]) then return {} end
local counts = redis.call('HGETALL', KEYS[1])
for i = 1, #counts, 2 do
  redis.call('HINCRBY', KEYS[3], string.match(counts[i], '^(.*):%d+$'), counts[i + 1])
end
if #counts > 0 then
  redis.call('SADD', KEYS[4], ARGV[1])
  redis.call('EXPIRE', KEYS[3], ARGV[3])
end
redis.call('DEL', KEYS[1])
redis.call('SREM', KEYS[2], ARGV[1])
return counts
"""
# KEYS: waiting counts, batch, waiting rooms. ARGV: id for a new batch, room. Returns the batch that is being written,
# else a new one, else nothing; the room waits no longer then.
_BATCH = """
if redis.call('EXISTS', KEYS[2]) == 0 then
  if redis.call('EXISTS', KEYS[1]) == 0 then
    redis.call('SREM', KEYS[3], ARGV[2])
    return {}
  end
  redis.call('RENAME', KEYS[1], KEYS[2])
  redis.call('HSET', KEYS[2], 'id', ARGV[1])
end
return redis.call('HGETALL', KEYS[2])
"""
# KEYS: batch. ARGV: its id; a batch that came after it stays.
_FINISH = """
if redis.call('HGET', KEYS[1], 'id') == ARGV[1] then redis.call('DEL', KEYS[1]) end
return 0
"""


@dataclass(frozen=True)
class Batch:
    """Counts to write, by second of room time and kind."""

    id: UUID
    counts: dict[tuple[int, str], int]


def _due() -> str:
    return bus.key("reactions:due")


def _waiting() -> str:
    return bus.key("reactions:waiting")


def _key(room_pk: int, part: str) -> str:
    return bus.key(f"reactions:{room_pk}:{part}")


def _run_count(client: Any, room_pk: int, second: int, kind: str, tone: int) -> Any:
    field = f"{second}:{kind}:{tone}"
    return client.eval(_COUNT, 2, _key(room_pk, "tick"), _due(), field, room_pk, KEPT)


def _run_take(client: Any, room_pk: int) -> Any:
    tick, counts, pace = (_key(room_pk, part) for part in ("tick", "counts", "pace"))
    return client.eval(_TAKE, 5, tick, _due(), counts, _waiting(), pace, room_pk, PACE, KEPT)


async def acount(client: redis.asyncio.Redis, room_pk: int, second: int, kind: str, tone: int) -> None:
    """Count one reaction, in a second of room time. Raises RedisError."""
    await _run_count(client, room_pk, second, kind, tone)


def count(room_pk: int, second: int, kind: str, tone: int) -> None:
    """`acount` for synchronous code."""
    _run_count(bus.client(), room_pk, second, kind, tone)


async def adue(client: redis.asyncio.Redis) -> list[int]:
    """Rooms with reactions that were not taken yet. Raises RedisError."""
    found: Any = client.smembers(_due())
    return sorted(int(room_pk) for room_pk in await found)


def due() -> list[int]:
    """`adue` for synchronous code."""
    found: Any = bus.client().smembers(_due())
    return sorted(int(room_pk) for room_pk in found)


async def atake(client: redis.asyncio.Redis, room_pk: int) -> Counts:
    """Take the reactions of a tick; they wait to be written then. Empty where another process took them less than PACE
    ms ago. Raises RedisError."""
    return _as_counts(await _run_take(client, room_pk))


def take(room_pk: int) -> Counts:
    """`atake` for synchronous code."""
    return _as_counts(_run_take(bus.client(), room_pk))


def _as_counts(answer: list[str]) -> Counts:
    counts: Counts = {}
    for field, number in zip(answer[::2], answer[1::2], strict=True):
        _second, kind, tone = field.split(":")
        tones = counts.setdefault(kind, {})
        tones[tone] = tones.get(tone, 0) + int(number)
    return counts


def waiting() -> list[int]:
    """Rooms with counts that wait to be written. Raises RedisError."""
    found: Any = bus.client().smembers(_waiting())
    return sorted(int(room_pk) for room_pk in found)


def batch(room_pk: int) -> Batch | None:
    """The counts of a room to write now: the batch that was not finished, else all that wait. Raises RedisError."""
    keys = _key(room_pk, "counts"), _key(room_pk, "batch"), _waiting()
    answer: Any = bus.client().eval(_BATCH, 3, *keys, str(uuid4()), room_pk)
    fields = dict(zip(answer[::2], answer[1::2], strict=True))
    if not fields:
        return None
    name = UUID(fields.pop("id"))
    counts = {}
    for field, number in fields.items():
        second, _colon, kind = field.partition(":")
        counts[int(second), kind] = int(number)
    return Batch(name, counts)


def finish_batch(room_pk: int, name: UUID) -> None:
    """Forget a batch that is written. Raises RedisError."""
    bus.client().eval(_FINISH, 1, _key(room_pk, "batch"), str(name))


def erase(rooms: Sequence[int]) -> int:
    """Delete all that Redis has of the reactions in rooms; returns how many keys. Raises RedisError."""
    if not rooms:
        return 0
    pipe = bus.client().pipeline()
    pipe.delete(*(_key(pk, part) for pk in rooms for part in ("tick", "counts", "batch", "pace")))
    pipe.srem(_due(), *rooms)
    pipe.srem(_waiting(), *rooms)
    removed: int = pipe.execute()[0]
    return removed
