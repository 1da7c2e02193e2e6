"""Recovery of the page after kills of Redis and Daphne, measured over real sockets."""

from __future__ import annotations

import asyncio
import functools
import json
import socket
import time
from collections.abc import Generator
from typing import Any

import pytest
from channels.db import database_sync_to_async as run
from django.conf import settings
from django.db import connection

from core import bus
from deploy.local.throwaway import Throwaway
from rooms import actions, channels
from rooms.live.feed import BASE_FRESH
from rooms.models import Room, RoomEvent
from tests.support.client import Page, code
from tests.support.people import person
from tests.support.processes import Site
from tests.support.rooms import consented, open_room, seated


@pytest.mark.alone
async def test_redis_dies_and_comes_back(lent_site: Site, services: Throwaway) -> None:
    room = await run(open_room)()
    guest = await run(lambda: consented(person("guest"), room))()
    async with Page(room, guest) as page, Page(room) as stranger:
        await page.wait_for("snapshot")
        await stranger.wait_for("snapshot")
        services.kill("redis")
        await asyncio.sleep(0.5)
        assert code(await page.ask("take_seat")) == "ok", "what rooms decide is in PostgreSQL"
        services.restart("redis")  # in this thread: what is started dies with the thread that started it
        started = time.monotonic()
        fresh = await stranger.wait_for("snapshot", within=60)
        assert time.monotonic() - started < 6, "the hub tries again within two seconds"
        assert [seat["user"] for seat in fresh["seats"]] == ["host", "guest"]
        events = [(event.seq, event.type) for event in await run(lambda: list(RoomEvent.objects.order_by("seq")))()]
        assert (await page.wait_for("snapshot"))["seq"] == fresh["seq"] == 3, events
        assert code(await page.ask("unmute")) == "ok"
        await stranger.wait_for(lambda message: message.get("seq") == 4)
        count = await stranger.wait_for(lambda m: m.get("type") in ("beat", "count") and m["listening"] == 1)
        assert count["listening"] == 1, "presence was said again"


@pytest.mark.alone
async def test_a_page_that_slept_is_right_within_a_second(lent_site: Site) -> None:
    room = await run(open_room)()
    guest = await run(person)("sleeper")
    async with Page(room, guest) as page:
        await page.wait_for("snapshot")
    await run(seated)("late", room)
    await run(actions.host_lost)(room.pk, room.started_at)
    took = []
    for _time in range(3):
        started = time.monotonic()
        async with Page(room, guest) as page:
            snapshot = await page.wait_for("snapshot")
            took.append(time.monotonic() - started)
            assert [seat["user"] for seat in snapshot["seats"]] == ["host", "late"]
            assert snapshot["room"]["host_lost_at"] is not None
            assert code(await page.ask("snapshot")) == "ok"
            assert len(page.of_type("snapshot")) == 2
    assert min(took) < 1.0, took


async def test_a_web_process_is_killed(site: Site) -> None:
    site.start("web")
    room = await run(open_room)()
    async with Page(room, room.host) as page:
        await page.wait_for("snapshot")
        site.kill("web")
        assert await page.closed() == 1006
    site.start("web")
    async with Page(room, room.host) as page:
        snapshot = await page.wait_for("snapshot")
        assert snapshot["seats"][0]["connected"] is True and snapshot["room"]["status"] == "live"


async def test_a_host_who_reconnects_is_back_at_once(web: Site) -> None:
    room = await run(open_room)()
    await run(actions.host_lost)(room.pk, room.started_at)
    async with Page(room) as stranger, Page(room, room.host):
        await stranger.wait_for("host_back")


async def test_connections_of_speakers_are_told(web: Site) -> None:
    room = await run(open_room)()
    guest = await run(seated)("guest", room)
    async with Page(room) as stranger:
        first = await stranger.wait_for("snapshot")
        assert {seat["user"]: seat["connected"] for seat in first["seats"]} == {"host": False, "guest": False}
        async with Page(room, guest) as page:
            told = await stranger.wait_for("connected")
            assert told == {"type": "connected", "user": "guest", "connected": True}
            async with Page(room, guest) as second:
                await second.wait_for("snapshot")
            await page.ask("ping")
        told = await stranger.wait_for("connected")
        assert told["connected"] is False and len(stranger.of_type("connected")) == 2, "a second page changes nothing"


async def test_whoever_comes_a_moment_after_a_speaker_sees_them_connected(web: Site) -> None:
    """State that sockets share is read once a second: not from before the speaker came."""
    room = await run(open_room)()
    guest = await run(seated)("guest", room)
    for _turn in range(3):
        async with Page(room) as first:
            await first.wait_for("snapshot")  # shared for a second from here on
            async with Page(room, guest) as page:
                await page.wait_for("snapshot")
                await first.wait_for("connected")
                async with Page(room) as stranger:
                    seats = (await stranger.wait_for("snapshot"))["seats"]
                    assert {seat["user"]: seat["connected"] for seat in seats} == {"host": False, "guest": True}
            await first.wait_for(lambda message: message.get("connected") is False)


@pytest.fixture
def reconnected(transactional_db: None) -> Generator[None]:
    """The connection of this thread dies with the server: let go of it before the database is emptied."""
    yield
    connection.close()


@pytest.mark.alone
async def test_postgresql_dies_and_comes_back(lent_site: Site, services: Throwaway, reconnected: None) -> None:
    room = await run(open_room)()
    guest = await run(lambda: consented(person("guest"), room))()
    async with Page(room, guest) as page, Page(room) as stranger:
        await page.wait_for("snapshot")
        await stranger.wait_for("snapshot")
        services.kill("postgres")
        connection.close()  # this test's own
        assert code(await page.ask("ping")) == "ok"
        assert code(await page.ask("take_seat", within=30)) == "unavailable"
        await asyncio.sleep(BASE_FRESH)  # until then somebody signed out comes in by what all sockets share
        async with Page(room, open_timeout=30) as late:  # a pool waits ten seconds for a connection
            assert code(await late.wait_for(lambda message: "error" in message, within=30)) == "unavailable"
            assert await late.closed() == 4503
        services.restart("postgres")
        started = time.monotonic()
        while (answer := code(await page.ask("take_seat", within=30))) != "ok":
            assert answer == "unavailable", "what was committed before the kill is there"
            assert time.monotonic() - started < 15, "connections that died with the server are not handed out for long"
            await asyncio.sleep(0.1)
        await stranger.wait_for(lambda message: message.get("type") == "seat_taken")
        assert stranger.seqs == [3]


def connect_and_never_read(room: Room, buffer: int = 4096) -> socket.socket:
    """A client whose phone lies in a drawer: it shook hands and reads no more."""
    sock = socket.create_connection(("127.0.0.1", settings.PORT))
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, buffer)
    sock.sendall(
        f"GET /ws/rooms/{room.slug}/ HTTP/1.1\r\nHost: localhost:{settings.PORT}\r\nUpgrade: websocket\r\n"
        "Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
        f"Origin: http://localhost:{settings.PORT}\r\n\r\n".encode()
    )
    return sock


def is_numbered(number: int, message: dict[str, Any]) -> bool:
    return message.get("n") == number


def resident_kb(site: Site) -> int:
    """Memory of the web process."""
    with open(f"/proc/{site.running['web'].pid}/status") as status:  # noqa: PTH123
        return next(int(line.split()[1]) for line in status if line.startswith("VmRSS"))


async def test_a_socket_that_does_not_read_is_dropped_and_holds_up_nobody(web: Site) -> None:
    room = await run(open_room)()
    async with Page(room) as page:
        await page.wait_for("snapshot")
        slow = await asyncio.to_thread(connect_and_never_read, room)
        await page.wait_for(lambda m: m.get("type") == "count" and m["listening"] == 2)
        before = resident_kb(web)
        channel, filler = channels.room_channel(room.pk), "x" * 8000
        for turn in range(120):  # 1,200 messages, almost 10 MB
            for n in range(10):
                text = json.dumps({"type": "talking", "user": "host", "talking": True, "n": turn * 10 + n, "f": filler})
                bus.client().publish(channel, text)
            # At the pace of who reads: on a slow machine that one would be dropped too.
            await page.wait_for(functools.partial(is_numbered, turn * 10 + 9), within=60)
        assert [m["n"] for m in page.of_type("talking")] == list(range(1200)), "who reads misses nothing"
        await page.wait_for(lambda m: m.get("listening") == 1, within=60)
        assert resident_kb(web) - before < 8_000, "what it does not read is not kept"
        await asyncio.to_thread(until_cut, slow)


async def test_whoever_is_refused_has_time_to_read_why(web: Site) -> None:
    """Also a moment before a second of the clock ends, to which the server's timers are rounded down."""
    await asyncio.sleep((0.85 - time.time()) % 1)
    slow = await asyncio.to_thread(connect_and_never_read, Room(slug="nowhere123"))
    slow.settimeout(1.0)
    answer = b""
    with slow, pytest.raises(TimeoutError):
        while part := await asyncio.to_thread(slow.recv, 4096):
            answer += part
    assert b"unknown_room" in answer


def until_cut(sock: socket.socket) -> None:
    """Read what was on its way, to the end."""
    sock.settimeout(10)
    try:
        while sock.recv(65536):
            pass
    except ConnectionResetError:
        return
    finally:
        sock.close()
