"""Leaving by the button with one of several pages: the hand goes down with the last of them, and with no other."""

from __future__ import annotations

import asyncio

from channels.db import database_sync_to_async as run

from people.models import User
from rooms.models import Hand, Room
from rooms.presence import page_is_open, user_key
from tests.support.client import Page, code
from tests.support.hands import outcomes, picky_room, raised
from tests.support.people import person
from tests.support.processes import Site
from tests.support.rooms import consented, is_connected
from tests.support.waiting import until

FIRST = "first-page-of-anna"


async def asked(*names: str) -> tuple[Room, list[User]]:
    room: Room = await run(picky_room)()
    return room, [await run(raised)(name, room) for name in names]


async def outcome(room: Room, user: User) -> str:
    return str((await run(outcomes)(room))[user.handle])


async def is_gone(room: Room, user: User) -> None:
    await until(lambda: run(lambda: not is_connected(room.pk, user.pk))(), what="the last page's end")


async def test_the_hand_stays_with_another_page_and_goes_with_the_last(web: Site) -> None:
    room, (anna, bert) = await asked("anna", "bert")
    async with Page(room, room.host) as host, Page(room, anna) as second:
        await second.wait_for("snapshot")
        async with Page(room, anna, page=FIRST) as first:
            await first.wait_for("snapshot")
            assert code(await first.ask("leave")) == "ok"
        who = user_key(anna.pk)
        await until(lambda: run(lambda: not page_is_open(room.pk, who, FIRST))(), what="the first page's end")
        async with Page(room, bert) as other:
            await other.wait_for("snapshot")
        await is_gone(room, bert)
        assert await outcome(room, anna) == "" and not second.of_type("hand_down")
        assert code(await second.ask("leave")) == "ok"
        assert await outcome(room, anna) == "", "the page is still there"
        await second.socket.close()
        await until(lambda: run(lambda: outcomes(room)["anna"] == "left")(), what="a hand that is down")
        assert (await host.wait_for("hand_lowered"))["data"]["user"] == "anna"
    assert await outcome(room, bert) == "", "without the button it is kept for a while"


async def test_two_pages_that_leave_at_once_lower_it(web: Site) -> None:
    room, (anna,) = await asked("anna")
    async with Page(room, anna) as first, Page(room, anna) as second:
        for page in (first, second):
            await page.wait_for("snapshot")
        for page in (first, second):
            await page.send({"id": 1, "do": "leave"})
        await asyncio.gather(first.socket.close(), second.socket.close())
    await until(lambda: run(lambda: outcomes(room)["anna"] == "left")(), what="a hand that is down")


async def test_leaving_lowers_nobody_else_s_hand(web: Site) -> None:
    room, (anna,) = await asked("anna")
    cheat = await run(lambda: consented(person("cheat"), room))()
    async with Page(room, cheat) as page, Page(room) as nobody:
        assert code(await page.ask("leave", user="anna")) == "ok"
        assert code(await nobody.ask("leave", user="anna")) == "ok"
        # The argument by which a client could say so for all of its pages is gone.
        assert code(await page.ask("raise_hand")) == code(await page.ask("lower_hand", leaving=True)) == "ok"
    await is_gone(room, cheat)
    assert await outcome(room, anna) == "" and await outcome(room, cheat) == "lowered"
    assert await run(Hand.objects.filter(outcome="left").count)() == 0
