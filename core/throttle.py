"""Rate limits: one token bucket in Redis for pages, API and WebSockets.

The bucket is filled and emptied in one Lua script on Redis' own clock, so that several processes cannot race.
"""

import functools
import logging
import time
from dataclasses import dataclass

import redis
from django.conf import settings
from redis.backoff import NoBackoff
from redis.exceptions import RedisError
from redis.retry import Retry

from core.bus import Scripts
from core.refusals import Refused

log = logging.getLogger(__name__)

# KEYS[1]: the bucket. ARGV: tokens per millisecond, size of the bucket, tokens wanted. Returns ms to wait, 0 to go.
TAKE = """
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local rate, burst, cost = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local state = redis.call('HMGET', KEYS[1], 'tokens', 'at')
local tokens = math.min(burst, (tonumber(state[1]) or burst) + (now - (tonumber(state[2]) or now)) * rate)
local wait = 0
if tokens >= cost then tokens = tokens - cost else wait = math.ceil((cost - tokens) / rate) end
redis.call('HSET', KEYS[1], 'tokens', tostring(tokens), 'at', now)
redis.call('PEXPIRE', KEYS[1], math.ceil(burst / rate) + 1000)
return wait
"""

# KEYS[1]: the bucket. ARGV: its size, tokens to give back. A bucket that is not there is full.
GIVE_BACK = """
local tokens = redis.call('HGET', KEYS[1], 'tokens')
if tokens then redis.call('HSET', KEYS[1], 'tokens', tostring(math.min(tonumber(ARGV[1]), tokens + ARGV[2]))) end
return 0
"""


def bucket(key: str) -> str:
    return f"{settings.REDIS_PREFIX}bucket:{key}"


@functools.cache
def connection() -> "redis.Redis":
    """Return the process' connection pool. It never retries: a person waits for the answer."""
    return redis.Redis.from_url(
        settings.REDIS_URL, socket_timeout=2, socket_connect_timeout=2, retry=Retry(NoBackoff(), 0)
    )


def take(key: str, *, per_minute: float, burst: int, cost: int = 1) -> float:
    """Take `cost` tokens out of `key`'s bucket. Returns 0.0 on success, else the seconds until it would succeed."""
    wait = connection().eval(TAKE, 1, bucket(key), per_minute / 60_000, burst, cost)
    return int(wait) / 1000


def give_back(key: str, *, burst: int, cost: int = 1) -> None:
    """Put tokens back that were taken without need."""
    connection().eval(GIVE_BACK, 1, bucket(key), burst, cost)


async def atake(client: Scripts, key: str, *, per_minute: float, burst: int, cost: int = 1) -> float:
    """Take tokens as `take` does, for consumers, on the connection of their event loop."""
    wait = await client.eval(TAKE, 1, bucket(key), per_minute / 60_000, burst, cost)
    return int(wait) / 1000


class OwnBuckets:
    """Token buckets of this process, for sockets while Redis does not answer.

    Hundreds of sockets can make it wait for a connection: what they do must not open the limit for them.
    """

    MOST = 10_000  # buckets kept

    def __init__(self) -> None:
        self._buckets: dict[str, tuple[float, float]] = {}  # tokens and when they were counted, by key

    def take(self, key: str, *, per_minute: float, burst: int) -> float:
        """Take a token; returns 0.0 on success, else the seconds until it would succeed."""
        now, rate = time.monotonic(), per_minute / 60
        if len(self._buckets) >= self.MOST and key not in self._buckets:
            self._buckets.clear()
        tokens, at = self._buckets.get(key, (float(burst), now))
        tokens = min(float(burst), tokens + (now - at) * rate)
        self._buckets[key] = (tokens - 1 if tokens >= 1 else tokens, now)
        return 0.0 if tokens >= 1 else (1 - tokens) / rate


_own = OwnBuckets()


@dataclass(frozen=True)
class Limit:
    """A rate: `burst` at once, then `per_minute`. Beyond it `refused` is raised with `code`.

    Without Redis requests pass, and each process counts what sockets do by itself: rules that must never be broken are
    enforced in PostgreSQL.
    """

    name: str
    per_minute: float
    burst: int
    refused: type[Refused]
    code: str = "too_fast"

    def check(self, client_key: str) -> None:
        """Raise `refused` where this client exceeds the rate."""
        try:
            wait = take(f"{self.name}:{client_key}", per_minute=self.per_minute, burst=self.burst)
        except RedisError as error:
            log.warning("not throttled, Redis is away: %s", error)
            return
        if wait:
            raise self.refused(self.code, wait=wait)

    async def acheck(self, client: Scripts, client_key: str) -> None:
        """Raise `refused` as `check` does, for sockets, on the connection of their event loop."""
        key = f"{self.name}:{client_key}"
        try:
            wait = await atake(client, key, per_minute=self.per_minute, burst=self.burst)
        except (RedisError, OSError) as error:
            log.warning("throttled by this process alone, Redis is away: %s", error)
            wait = _own.take(key, per_minute=self.per_minute, burst=self.burst)
        if wait:
            raise self.refused(self.code, wait=wait)
