"""Presence on real Redis: people are counted once, whoever dies is forgotten."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator

import pytest
import redis.asyncio

from core import bus
from rooms import presence
from tests.support.rooms import is_connected, people_in
from tests.support.waiting import until

ROOM = 71


@pytest.fixture
async def client() -> AsyncGenerator[redis.asyncio.Redis]:
    async with bus.connect() as connection:
        yield connection


async def test_a_person_with_two_pages_counts_once(client: redis.asyncio.Redis) -> None:
    assert await presence.enter(client, ROOM, [("u:1", "first")]) == 1
    assert await presence.enter(client, ROOM, [("u:1", "second")]) == 0
    assert await presence.enter(client, ROOM, [("a:xyz", "third")]) == 1
    assert people_in(ROOM) == 2
    assert await presence.leave(client, ROOM, "u:1", "first") is False
    assert is_connected(ROOM, 1)
    assert await presence.leave(client, ROOM, "u:1", "second") is True
    assert await presence.leave(client, ROOM, "u:1", "second") is False, "gone is gone"
    assert not is_connected(ROOM, 1)
    assert await presence.alook(client, ROOM, ["u:1", "a:xyz"]) == (1, [False, True])


async def test_a_refresh_is_no_arrival(client: redis.asyncio.Redis) -> None:
    members = [(f"a:{n}", "page") for n in range(1200)]
    assert await presence.enter(client, ROOM, members) == 1200
    assert await presence.enter(client, ROOM, members) == 0
    assert people_in(ROOM) == 1200


async def test_who_is_not_refreshed_expires(client: redis.asyncio.Redis, monkeypatch: pytest.MonkeyPatch) -> None:
    killed = [("u:1", "a page of a killed process"), ("u:1", "another")]
    await presence.enter(client, ROOM, [*killed, ("u:2", "page")])
    assert people_in(ROOM) == 2
    with monkeypatch.context() as patch:
        patch.setattr(presence, "TTL", 0.05)
        await presence.enter(client, ROOM, killed)
    await presence.enter(client, ROOM, [("u:2", "page")])

    async def only_the_other_is_here() -> bool:
        return await presence.alook(client, ROOM, ["u:1", "u:2"]) == (1, [False, True])

    await until(only_the_other_is_here)


async def test_rooms_do_not_mix(client: redis.asyncio.Redis) -> None:
    await presence.enter(client, ROOM, [("u:1", "page")])
    assert people_in(ROOM + 1) == 0


async def test_accounts_that_left_a_moment_ago_are_around(client: redis.asyncio.Redis) -> None:
    everybody = [("u:1", "page"), ("u:2", "page"), ("u:2", "another"), ("u:3", "page"), ("a:xyz", "page")]
    await presence.enter(client, ROOM, everybody)
    for who, conn in everybody[2:]:
        await presence.leave(client, ROOM, who, conn)
    left = bus.key(f"presence:{ROOM}:left")
    assert presence.accounts_around(ROOM) == {1, 2, 3} and presence.accounts_around(ROOM + 1) == set()
    assert await client.zrange(left, 0, -1) == ["u:3"], "whoever has a page left is here; nothing is kept of others"
    assert 0 < await client.pttl(left) <= presence.AROUND * 1000
    await client.zincrby(left, -1000.0 * presence.AROUND - 1, "u:3")
    assert presence.accounts_around(ROOM) == {1, 2}
    await presence.leave(client, ROOM, "u:1", "page")
    assert await client.zrange(left, 0, -1) == ["u:1"]


async def test_processes_race_without_miscounting(client: redis.asyncio.Redis) -> None:
    async def one(n: int) -> None:
        async with bus.connect() as mine:
            for turn in range(20):
                await presence.enter(mine, ROOM, [(f"u:{n % 3}", f"{n}-{turn}")])
                await presence.leave(mine, ROOM, f"u:{n % 3}", f"{n}-{turn}")

    await asyncio.gather(*(one(n) for n in range(12)))
    assert people_in(ROOM) == 0
    assert await client.exists(bus.key(f"presence:{ROOM}:people")) == 0
