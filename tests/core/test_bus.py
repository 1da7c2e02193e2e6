"""Connections to Redis of an event loop: as many as it may have, and a crowd takes turns."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from redis.exceptions import RedisError

from core import bus
from rooms import presence
from tests.support.rooms import people_in

ROOM = 72
CROWD = 600


async def test_a_crowd_that_leaves_at_once_takes_turns() -> None:
    """With the library's own pool, which has 100 connections and refuses the next, most departures were lost."""
    async with bus.connect() as client:
        await presence.enter(client, ROOM, [(f"a:{number}", "page") for number in range(CROWD)])
        assert people_in(ROOM) == CROWD
        gone = await asyncio.gather(*(presence.leave(client, ROOM, f"a:{number}", "page") for number in range(CROWD)))
        assert all(gone) and people_in(ROOM) == 0
        assert len(client.connection_pool._available_connections) <= bus.MOST_CONNECTIONS


async def test_a_command_that_gets_no_connection_fails_as_without_redis(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bus, "MOST_CONNECTIONS", 2)
    monkeypatch.setattr(bus, "CONNECTION_WITHIN", 0.2)
    async with bus.connect() as client:
        pool: Any = client.connection_pool
        taken = [await pool.get_connection() for _each in range(2)]
        with pytest.raises(RedisError):
            await client.ping()
        await pool.release(taken.pop())
        assert await client.ping()
        await pool.release(taken.pop())
