"""Presence of staff who listen in, in Redis: their page says every minute that somebody has it before them.

It keeps the listening in alive where no request does, and no other right: an hour of listening is work, an hour of
nothing at a page of the console is none. Sound does not count: it plays on where nobody sits. A client that says it for
ever gains the listening in to this room, until its second step is too old.
"""

from __future__ import annotations

import logging
from collections.abc import Collection

import redis.asyncio
from django.conf import settings
from redis.exceptions import RedisError

from core import bus

log = logging.getLogger(__name__)

Listener = tuple[int, str]  # the key of a room, the ident of a session


def _key(listener: Listener) -> str:
    return bus.key(f"staff-present:{listener[0]}:{listener[1]}")


async def note_present(client: redis.asyncio.Redis, listener: Listener) -> None:
    """Note that a page that listens in is in use. Raises RedisError."""
    await client.set(_key(listener), "1", ex=settings.STAFF_IDLE_MINUTES * 60)


def present(listeners: Collection[Listener]) -> set[Listener]:
    """Select those whose page was in use within STAFF_IDLE_MINUTES; nobody while Redis is away."""
    wanted = sorted(listeners)
    if not wanted:
        return set()
    try:
        found = bus.client().mget([_key(one) for one in wanted])
    except RedisError as error:
        log.warning("who listens in and is present is not known, Redis is away: %s", error)
        return set()
    return {one for one, value in zip(wanted, found, strict=True) if value}
