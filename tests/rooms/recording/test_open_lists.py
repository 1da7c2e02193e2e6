"""Lists by ticket: for rooms that are open to anyone, the same address for all, over when it says so."""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import Callable
from typing import Any
from uuid import uuid4

import pytest
from channels.db import database_sync_to_async as run
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from rooms import actions
from rooms.models import Room
from rooms.recording.hls import epochs
from rooms.recording.hls.open_lists import OpenLists
from rooms.recording.hls.tickets import LIVES, NEW_EVERY, read_ticket, ticket_to
from tests.rooms.recording.test_finish import record
from tests.support.client import Page
from tests.support.people import person
from tests.support.processes import Site
from tests.support.rooms import open_room
from tests.support.waiting import until

pytestmark = pytest.mark.django_db(transaction=True)
NOW = 1_800_000_000.0
Answer = tuple[int, dict[str, str], bytes]


@pytest.fixture
def room() -> Room:
    room = open_room()
    record(room, 0, 500, begins=0, seconds=24)
    epochs._answers.clear()
    return room


@pytest.fixture
def ask() -> Callable[..., Any]:
    """Ask the application for a path, as Daphne does."""
    application = OpenLists(refuse_all)

    async def answer(path: str, method: str = "GET", address: str = "192.0.2.1") -> Answer:
        sent: list[dict[str, Any]] = []

        async def send(message: Any) -> None:
            sent.append(message)

        scope = {"type": "http", "path": path, "method": method, "headers": [], "client": [address, 1]}
        await application(scope, never, send)
        headers = {name.decode(): value.decode() for name, value in sent[0]["headers"]}
        return sent[0]["status"], headers, sent[1]["body"]

    return answer


async def never() -> dict[str, Any]:
    raise AssertionError("nothing is read")


async def refuse_all(_scope: Any, _receive: Any, send: Any) -> None:
    """The application behind it."""
    await send({"type": "http.response.start", "status": 418, "headers": []})
    await send({"type": "http.response.body", "body": b"behind"})


def ticket(room: Room, now: float | None = None) -> str:
    address = ticket_to(room.pk, room.epoch, room.entry_policy, now)
    assert address is not None
    return address


def test_a_ticket_is_the_same_for_all_and_ends(room: Room) -> None:
    one = ticket(room, NOW)
    assert ticket(room, NOW + NEW_EVERY - 1) == one != ticket(room, NOW + NEW_EVERY)
    assert read_ticket(one, NOW) == (room.pk, room.epoch)
    assert read_ticket(one, NOW + LIVES - 1) is not None and read_ticket(one, NOW + LIVES) is None
    for policy in Room.EntryPolicy.values:
        assert (ticket_to(room.pk, room.epoch, policy) is not None) == (policy == "anyone")


def test_no_other_address_is_a_ticket(room: Room) -> None:
    one = ticket(room, NOW)
    _, hls, token, mark, name = one.split("/")
    until_, sign = mark.split("-")
    later = f"{int(until_, 16) + 3600:08x}"
    for path in (
        f"/{hls}/{token}/{later}-{sign}/{name}",
        f"/{hls}/{room.pk + 1}-{room.epoch.hex}/{mark}/{name}",
        f"/{hls}/{room.pk}-{uuid4().hex}/{mark}/{name}",
        f"/{hls}/{token}/{until_}-{'0' * 32}/{name}",
        f"/{hls}/{token}/{mark}/../{name}",
        one + "/",
        one + "\n",
        one.upper(),
        f"/{hls}/{'9' * 5000}-{room.epoch.hex}/{mark}/{name}",
        "/hls//live.m3u8",
        "",
    ):
        assert read_ticket(path, NOW) is None, path


async def test_the_list_is_that_of_the_checked_address(room: Room, ask: Callable[..., Any]) -> None:
    status, headers, body = await ask(ticket(room))
    assert status == 200 and headers["cache-control"] == "public, max-age=1"
    assert headers["content-type"] == "application/vnd.apple.mpegurl" and int(headers["content-length"]) == len(body)
    checked = await run(lambda: Client().get(f"/r/{room.slug}/live.m3u8").content)()
    assert body == checked
    assert (await ask(ticket(room), "HEAD"))[::2] == (200, b"")
    assert (await ask(ticket(room), "POST"))[0] == 405
    assert (await ask("/hls/1-2/3-4/live.m3u8"))[0] == 404
    assert (await ask("/r/x/live.m3u8"))[0] == 418 == (await ask("/hls/x/y/0-1.m4s"))[0]
    piece = next(line for line in body.decode().splitlines() if re.search(r"/0-\d+\.m4s$", line))
    assert (await run(Client().get)(piece)).status_code == 200


async def test_a_policy_and_the_end_close_it(room: Room, ask: Callable[..., Any]) -> None:
    old = ticket(room)
    assert (await ask(old))[0] == 200
    await run(actions.set_entry_policy)(room.pk, room.host, "signed_in")
    await until(lambda: closed(ask, old))
    await run(actions.set_entry_policy)(room.pk, room.host, "anyone")
    await run(room.refresh_from_db)()
    assert (await ask(ticket(room)))[0] == 200, "at once, with a new epoch"
    assert (await ask(old))[0] == 410
    await run(lambda: actions.end_room(room.pk, room.host))()
    await until(lambda: closed(ask, ticket(room)))


async def closed(ask: Callable[..., Any], path: str) -> bool:
    return bool((await ask(path))[0] == 410)


async def test_before_the_first_piece_and_beyond_the_limit(ask: Callable[..., Any], settings: Any) -> None:
    fresh = await run(open_room)("fresh")
    status, headers, _body = await ask(ticket(fresh))
    assert (status, headers["retry-after"], headers["cache-control"]) == (503, "1", "no-store")
    settings.HLS_PER_ADDRESS = 3
    seen = [(await ask(ticket(fresh), address="192.0.2.9"))[0] for _turn in range(5)]
    assert seen == [503, 503, 503, 429, 429]
    assert (await ask(ticket(fresh), address="192.0.2.10"))[0] == 503, "others are not held up"


def test_a_crowd_asks_the_database_once_a_second(room: Room, ask: Callable[..., Any]) -> None:
    async def crowd() -> list[Answer]:
        answers: list[Answer] = await asyncio.gather(
            *(ask(ticket(room), address=f"192.0.2.{place % 200}") for place in range(500))
        )
        return answers

    with CaptureQueriesContext(connection) as asked:
        began = time.monotonic()
        answers = asyncio.run(crowd())
    assert {status for status, _headers, _body in answers} == {200}
    assert len(asked) <= 2 + time.monotonic() - began


async def test_pages_get_tickets_and_nobody_else_does(web: Site, room: Room) -> None:
    guest = await run(person)("guest")
    async with Page(room, guest) as page, Page(room) as stranger:
        for one in (page, stranger):
            beat = await one.wait_for("beat", within=15)
            assert read_ticket(beat["list"]) == (room.pk, room.epoch)
        await run(actions.remove_person)(room.pk, guest, room.host)
        assert await page.closed() == 4403
        assert [m for m in page.seen if m.get("type") == "beat"][-1]["list"] is not None
        await run(actions.set_entry_policy)(room.pk, room.host, "signed_in")
    async with Page(room, room.host) as host:
        beat = await host.wait_for("beat", within=15)
        assert beat["list"] is None
