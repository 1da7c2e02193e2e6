"""Connections to Redis of an event loop: as many as it may have, and a crowd takes turns."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from redis.exceptions import RedisError, ResponseError

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


async def test_scripts_that_go_together_have_answers_and_errors_of_their_own() -> None:
    async with bus.connect() as client:
        scripts = bus.Pipelined(client)
        given = await asyncio.gather(
            *(scripts.eval("return ARGV[1]", 0, f"é{number}") for number in range(3)),
            scripts.eval("return redis.call('GET')", 0),
            scripts.eval("nonsense", 0),
            scripts.eval("return {1, 'two', false}", 0),
            return_exceptions=True,
        )
        assert given[:3] == ["é0", "é1", "é2"] and given[5] == [1, "two", None]
        assert isinstance(given[3], ResponseError) and isinstance(given[4], ResponseError)
        assert len(client.connection_pool._available_connections) == 1


async def test_scripts_without_an_answer_leave_none_behind_for_the_next(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bus, "CONNECTION_WITHIN", 0.3)
    async with bus.connect() as client:
        scripts = bus.Pipelined(client)
        assert await scripts.eval("return 'first'", 0) == "first"
        bus.client().client_pause(1000)  # milliseconds
        late = await asyncio.gather(*(scripts.eval("return 'late'", 0) for _each in range(2)), return_exceptions=True)
        assert all(isinstance(one, RedisError) for one in late)
        monkeypatch.setattr(bus, "CONNECTION_WITHIN", 30.0)
        assert [await scripts.eval("return ARGV[1]", 0, word) for word in ("a", "b")] == ["a", "b"]
