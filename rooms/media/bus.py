"""Names and connections in Redis for sound. Every key and channel stands under REDIS_PREFIX."""

from __future__ import annotations

from django.conf import settings
from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff

REQUESTS = "media:requests"
CHANGED = "media:changed"
HEARTBEAT = "media:heartbeat"
PROBE = "media:probe"
SESSION = "media:session"
ROOMS = "media:rooms"
HANDLES = "media:handles"


def key(name: str) -> str:
    """The full name of a key or channel of this installation."""
    return f"{settings.REDIS_PREFIX}{name}"


def reply_channel(process: str) -> str:
    """Where the answers to one web process are published."""
    return key(f"media:replies:{process}")


def room_channel(room_pk: int) -> str:
    """What everybody in a room may hear."""
    return key(f"room:{room_pk}")


def person_channel(user_pk: int) -> str:
    """What one person's pages hear."""
    return key(f"person:{user_pk}")


def connect() -> Redis:
    """A connection pool without read timeouts (blocking reads are ended by us) and without silent retries."""
    return Redis.from_url(
        settings.REDIS_URL,
        decode_responses=True,
        socket_timeout=None,
        socket_connect_timeout=3,
        health_check_interval=0,
        retry=Retry(NoBackoff(), 0),
    )
