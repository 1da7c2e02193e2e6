"""Names and connections in Redis. Every key and channel stands under REDIS_PREFIX, so that installations never meet."""

from __future__ import annotations

import functools
import logging

import redis
import redis.asyncio
from django.conf import settings
from redis.asyncio.retry import Retry as AsyncRetry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError
from redis.retry import Retry

log = logging.getLogger(__name__)


def key(name: str) -> str:
    """The full name of a key or channel of this installation."""
    return f"{settings.REDIS_PREFIX}{name}"


@functools.cache
def client() -> redis.Redis:
    """One pool of connections a process, for code that waits (actions, tasks, pages)."""
    return redis.Redis.from_url(
        settings.REDIS_URL,
        decode_responses=True,
        encoding_errors="replace",  # what is no UTF-8 is no JSON of ours either, and must not end a subscription
        socket_timeout=3,
        socket_connect_timeout=3,
        retry=Retry(NoBackoff(), 1),
    )


def connect() -> redis.asyncio.Redis:
    """A pool for one event loop. It retries nothing: who uses it decides what a lost connection means."""
    return redis.asyncio.Redis.from_url(
        settings.REDIS_URL,
        decode_responses=True,
        encoding_errors="replace",  # what is no UTF-8 is no JSON of ours either, and must not end a subscription
        socket_timeout=None,
        socket_connect_timeout=3,
        socket_keepalive=True,
        health_check_interval=0,
        retry=AsyncRetry(NoBackoff(), 0),
    )


def publish(channel: str, text: str) -> None:
    """Tell every process. What is committed stays true when Redis is away: hubs read what they missed from the log."""
    try:
        client().publish(channel, text)
    except RedisError as error:
        log.warning("could not publish on %s: %s", channel, error)
