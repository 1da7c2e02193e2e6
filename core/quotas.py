"""Quotas of how much one client may hold at once: leases in Redis, taken in one Lua script on Redis' own clock.

A lease expires after `TTL` seconds unless its holder refreshes it. So what a killed process held is free again soon,
and no counter has to be decremented. One thread of each process refreshes and releases for all of it, blocking code
and event loops alike. How *often* a client may do something is in `core/throttle.py`.
"""

from __future__ import annotations

import functools
import logging
import queue
import secrets
import time
from collections import deque
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass

from django.conf import settings
from redis.exceptions import RedisError

from core import loops
from core.batches import batched
from core.bus import Scripts
from core.refusals import Refused
from core.throttle import connection

log = logging.getLogger(__name__)

TTL = 30.0  # seconds after which a lease expires unless it is refreshed
REFRESH = 10.0  # seconds between two refreshes

# KEYS[1]: the leases of one client, scored by expiry. ARGV: ttl in ms, the maximum, the lease. Returns 1 or 0.
TAKE = """
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now)
if redis.call('ZCARD', KEYS[1]) >= tonumber(ARGV[2]) then return 0 end
redis.call('ZADD', KEYS[1], now + ARGV[1], ARGV[3])
redis.call('PEXPIRE', KEYS[1], ARGV[1] * 2)
return 1
"""
# KEYS: the leases of clients. ARGV: ttl in ms, then a lease of each of them to refresh. One that expired meanwhile
# counts again. Returns the keys under which something else stands.
REFRESH_ALL = """
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local by_key, others = {}, {}
for i, key in ipairs(KEYS) do
  local leases = by_key[key] or {}
  by_key[key] = leases
  leases[#leases + 1] = now + ARGV[1]
  leases[#leases + 1] = ARGV[i + 1]
end
for key, leases in pairs(by_key) do
  local added = redis.pcall('ZADD', key, unpack(leases))
  if type(added) == 'table' then others[#others + 1] = key else redis.call('PEXPIRE', key, ARGV[1] * 2) end
end
return others
"""
BATCH = 500  # leases a script call, and a round trip


@dataclass(frozen=True)
class Quota:
    """The most that one client may hold at once of one kind; `setting` names the number."""

    name: str
    setting: str

    @property
    def most(self) -> int:
        return int(getattr(settings, self.setting))


@dataclass(frozen=True)
class Lease:
    """One thing held by one client. `keep` it for as long as it lasts, then `release` it; neither waits for Redis."""

    key: str
    name: str

    def keep(self) -> None:
        """Have it refreshed from now on."""
        keeper().keep(self)

    def release(self) -> None:
        """Give it back."""
        keeper().release(self)


def person_key(user_pk: int) -> str:
    """Return the key of a signed-in person."""
    return f"u:{user_pk}"


def take(quota: Quota, client_key: str) -> Lease | None:
    """Take a lease for `TTL` seconds; None where this client holds as many as it may. Without Redis it always
    succeeds."""
    lease, taken = _lease(quota, client_key), True
    with _away_is_told():
        taken = bool(connection().eval(TAKE, 1, lease.key, int(TTL * 1000), quota.most, lease.name))
    return lease if taken else None


def take_all(wanted: Iterable[tuple[Quota, str]]) -> list[Lease] | None:
    """Take a lease of each quota for its client; none of them, and None, where one is refused."""
    taken: list[Lease] = []
    for quota, client_key in wanted:
        lease = take(quota, client_key)
        if lease is None:
            release_all(taken)
            return None
        taken.append(lease)
    return taken


def release_all(leases: Iterable[Lease]) -> None:
    """Give leases back."""
    for lease in leases:
        lease.release()


async def atake(client: Scripts, quota: Quota, client_key: str) -> Lease | None:
    """Take a lease as `take` does, for consumers, on the connection of their event loop."""
    lease, taken = _lease(quota, client_key), True
    with _away_is_told():
        taken = bool(await client.eval(TAKE, 1, lease.key, int(TTL * 1000), quota.most, lease.name))
    return lease if taken else None


@contextmanager
def held(quota: Quota, client_key: str, refused: type[Refused]) -> Iterator[None]:
    """Hold a lease while the block runs. Raises `refused` with `too_many`."""
    lease = take(quota, client_key)
    if lease is None:
        raise refused("too_many")
    lease.keep()
    try:
        yield
    finally:
        lease.release()
        with _away_is_told():  # the client's next one may come before the keeper's thread gets to it
            connection().zrem(lease.key, lease.name)


@contextmanager
def _away_is_told() -> Iterator[None]:
    """Log that Redis is away, and go on: then nothing is counted."""
    try:
        yield
    except (RedisError, OSError) as error:
        log.warning("quotas do not count, Redis is away: %s", error)


def _lease(quota: Quota, client_key: str) -> Lease:
    return Lease(f"{settings.REDIS_PREFIX}quota:{quota.name}:{client_key}", secrets.token_hex(8))


class Keeper:
    """The thread that refreshes the leases this process holds and releases those it held. Keeping one does not wake it:
    a thousand sockets that open at once would wake it a thousand times."""

    def __init__(self) -> None:
        self.kept: set[Lease] = set()  # of the thread alone
        self._coming: deque[Lease] = deque()
        # No lock: a release may come out of a garbage collection within the very thread that would hold it.
        self._released: queue.SimpleQueue[Lease] = queue.SimpleQueue()
        loops.keep_thread("quotas", self._run)

    def keep(self, lease: Lease) -> None:
        self._coming.append(lease)

    def release(self, lease: Lease) -> None:
        self._released.put(lease)

    def _run(self) -> None:
        due = time.monotonic() + REFRESH
        while True:
            released = self._wait(max(0.0, due - time.monotonic()))
            try:
                self._give_back(released)
                if time.monotonic() >= due:
                    due = time.monotonic() + REFRESH
                    self._refresh()
            except (RedisError, OSError) as error:
                log.warning("leases are not told to Redis: %s", error)  # a lease that was released expires by itself

    def _wait(self, seconds: float) -> list[Lease]:
        """Take up the leases that are kept now. Wait until some are released, for `seconds` at most; return those."""
        released: list[Lease] = []
        with suppress(queue.Empty):
            released.append(self._released.get(timeout=seconds))
            while True:
                released.append(self._released.get_nowait())
        while self._coming:  # after the releases: each of those was kept before
            self.kept.add(self._coming.popleft())
        self.kept.difference_update(released)
        return released

    def _give_back(self, released: list[Lease]) -> None:
        if released:
            pipe = connection().pipeline(transaction=False)
            for lease in released:
                pipe.zrem(lease.key, lease.name)
            pipe.execute()

    def _refresh(self) -> None:
        """Refresh what is kept: one round trip for every BATCH leases, however many clients have them."""
        for leases in batched(sorted(self.kept, key=lambda lease: lease.key), BATCH):
            keys, names = [lease.key for lease in leases], [lease.name for lease in leases]
            for key in connection().eval(REFRESH_ALL, len(keys), *keys, int(TTL * 1000), *names):
                # Something else stands under this key: the others go on.
                log.error("the leases of %s are not refreshed", key.decode(errors="replace"))


@functools.cache
def keeper() -> Keeper:
    """Return the keeper of this process."""
    return Keeper()
