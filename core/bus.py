"""Names and connections in Redis. Every key and channel begins with REDIS_PREFIX, so that installations stay apart."""

from __future__ import annotations

import asyncio
import functools
import logging
from collections.abc import Sequence
from typing import Any, Protocol

import redis
import redis.asyncio
from django.conf import settings
from redis.asyncio.retry import Retry as AsyncRetry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError, ResponseError
from redis.retry import Retry

from core.together import Together

log = logging.getLogger(__name__)

MOST_CONNECTIONS = 32  # of one event loop's pool; subscriptions hold theirs
CONNECTION_WITHIN = 5.0  # seconds that a command waits for a free one


def key(name: str) -> str:
    """Return the full name of a key or channel of this installation."""
    return f"{settings.REDIS_PREFIX}{name}"


@functools.cache
def client() -> redis.Redis:
    """Return the process' connection pool for blocking code (actions, tasks, pages)."""
    return redis.Redis.from_url(
        settings.REDIS_URL,
        decode_responses=True,
        encoding_errors="replace",  # what is no UTF-8 is no JSON of ours either, and must not end a subscription
        socket_timeout=3,
        socket_connect_timeout=3,
        retry=Retry(NoBackoff(), 1),
    )


def connect() -> redis.asyncio.Redis:
    """Make a connection pool for one event loop. It never retries: the caller handles a lost connection.

    It has at most MOST_CONNECTIONS, and a command waits for a free one, because a thousand sockets may close in the
    same moment. After CONNECTION_WITHIN seconds it raises a RedisError, as where Redis is away.
    """
    pool = redis.asyncio.BlockingConnectionPool.from_url(
        settings.REDIS_URL,
        max_connections=MOST_CONNECTIONS,
        timeout=CONNECTION_WITHIN,
        decode_responses=True,
        encoding_errors="replace",  # what is no UTF-8 is no JSON of ours either, and must not end a subscription
        socket_timeout=None,
        socket_connect_timeout=3,
        socket_keepalive=True,
        health_check_interval=0,
        retry=AsyncRetry(NoBackoff(), 0),
    )
    return redis.asyncio.Redis.from_pool(pool)


class Scripts(Protocol):
    """Anything that runs scripts for an event loop: a pool of connections, or `Pipelined`."""

    def eval(self, script: str, numkeys: int, *values: Any) -> Any: ...


class Pipelined:
    """Scripts that many tasks of one event loop run at once, sent together: those that are asked for during a round
    trip go with the next one. A thousand sockets that open at once need a few dozen round trips, not thousands."""

    def __init__(self, client: redis.asyncio.Redis) -> None:
        self._client = client
        self._together: Together[tuple[Any, ...], Any] = Together(self._answers, "redis-scripts")

    async def eval(self, script: str, numkeys: int, *values: Any) -> Any:
        """Run a script, as `redis.asyncio.Redis.eval` does. Raises RedisError, also where no answer comes within
        CONNECTION_WITHIN seconds."""
        return await self._together.ask((script, numkeys, *values))

    async def _answers(self, calls: list[tuple[Any, ...]]) -> list[Any]:
        try:
            async with asyncio.timeout(CONNECTION_WITHIN):
                return await self._round_trip([("EVAL", *call) for call in calls])
        except TimeoutError as error:
            raise redis.exceptions.TimeoutError("no answer of Redis") from error

    async def _round_trip(self, commands: list[tuple[Any, ...]]) -> list[Any]:
        """Send commands and read an answer to each, as a pipeline of redis-py does, whose bookkeeping costs a third as
        much again. The connection closes itself where it is left with answers unread."""
        pool: Any = self._client.connection_pool
        connection = await pool.get_connection()
        try:
            await connection.send_packed_command(connection.pack_commands(commands), check_health=False)
            return [await _answer(connection) for _command in commands]
        finally:
            await pool.release(connection)


async def _answer(connection: Any) -> Any:
    """Read an answer; one that is an error belongs to its command alone."""
    try:
        return await connection.read_response()
    except ResponseError as error:
        return error


def publish(channel: str, text: str) -> None:
    """Publish a message to every process. An error is only logged: hubs read what they missed from the room's log."""
    publish_many([(channel, text)])


def publish_many(messages: Sequence[tuple[str, str]]) -> None:
    """`publish` for many (channel, text) in one round trip, in their order."""
    if not messages:
        return
    pipe = client().pipeline(transaction=False)
    for channel, text in messages:
        pipe.publish(channel, text)
    try:
        pipe.execute()
    except RedisError as error:
        log.warning("could not publish on %s: %s", messages[0][0], error)
