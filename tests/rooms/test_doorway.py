"""How many sockets one client opens, and that those who are too many never reach the database."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any

from channels.db import database_sync_to_async as run

from people.models import User
from rooms.models import Room
from tests.support.client import Page, code
from tests.support.greedy import GREEDY, HONEST
from tests.support.people import person
from tests.support.processes import Site
from tests.support.rooms import open_room
from tests.support.waiting import until


@asynccontextmanager
async def open_pages(room: Room, count: int, user: User | None = None, **options: Any) -> AsyncGenerator[list[Page]]:
    pages = [Page(room, user, **options) for _number in range(count)]
    await asyncio.gather(*(page.__aenter__() for page in pages))
    try:
        yield pages
    finally:
        await asyncio.gather(*(page.__aexit__(None, None, None) for page in pages))


async def turned_away(pages: list[Page]) -> list[Page]:
    """The pages that were sent away, once each knows; the reason is said before the close."""

    async def came(page: Page) -> bool:
        first = await page.wait_for(lambda message: message.get("type") == "snapshot" or "error" in message)
        return "error" not in first

    inside = await asyncio.gather(*map(came, pages))
    return [page for page, there in zip(pages, inside, strict=True) if not there]


async def test_sockets_of_a_person_and_of_an_address_are_counted(site: Site) -> None:
    await run(site.start)("web", SOCKETS_PER_PERSON="3", SOCKETS_PER_ADDRESS="6")
    room, guest = await run(open_room)(), await run(person)("guest")
    async with open_pages(room, 8, local_addr=(GREEDY, 0)) as strangers:
        away = await turned_away(strangers)
        assert len(away) == 2 and {await page.closed() for page in away} == {4429}
        assert code(away[0].seen[0]) == "too_many" and "Close one" in away[0].seen[0]["error"]["text"]
        async with open_pages(room, 4, guest, local_addr=(GREEDY, 0)) as own:
            assert len(await turned_away(own)) == 1, "signed in, the person counts and not the address"
            async with open_pages(room, 1, guest, local_addr=(HONEST, 0)) as elsewhere:
                assert len(await turned_away(elsewhere)) == 1
        async with open_pages(room, 1, local_addr=(HONEST, 0)) as other:
            assert await turned_away(other) == []
        for page in strangers:
            page.socket.transport.abort()  # without a word
    # Those that died do not count, once that is noticed.
    await until(lambda: all_come_in(room, 6), every=0.5)


async def all_come_in(room: Room, count: int) -> bool:
    async with open_pages(room, count, local_addr=(GREEDY, 0)) as strangers:
        return not await turned_away(strangers)


async def test_a_flood_of_handshakes_does_not_reach_the_database(site: Site) -> None:
    await run(site.start)("web", SOCKETS_NEW_PER_ADDRESS="20")
    room = await run(open_room)()
    async with open_pages(room, 60, local_addr=(GREEDY, 0)) as pages:
        assert len(await turned_away(pages)) >= 38
        async with open_pages(room, 5, local_addr=(HONEST, 0)) as others:
            assert await turned_away(others) == []


async def test_frames_of_all_sockets_of_a_client_have_one_pace(site: Site) -> None:
    await run(site.start)("web", FRAMES_AT_ONCE="100", FRAMES_PER_CLIENT="600")
    room = await run(open_room)()
    async with open_pages(room, 5, local_addr=(GREEDY, 0)) as pages:
        assert await turned_away(pages) == []
        began = time.monotonic()
        for page in pages:
            for number in range(40):
                await page.send({"id": number, "do": "ping"})
        async with open_pages(room, 1, local_addr=(HONEST, 0)) as other:
            assert await turned_away(other) == []
            assert code(await other[0].ask("ping")) == "ok"
        answers = Counter(code(message) for page in pages for message in page.seen if "re" in message)
        assert 0 < answers["ok"] <= 101 + 10 * (time.monotonic() - began), "what the bucket held, and ten a second"
