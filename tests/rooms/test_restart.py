"""A web process that is told to end closes its sockets one by one, and says when to come back."""

from __future__ import annotations

import asyncio
import signal
import time

import pytest
from channels.db import database_sync_to_async as run

from rooms.live.feed import Feed
from rooms.live.hub import Hub
from rooms.live.restart import CLOSED_A_SECOND, RETRY_LEAST, RETRY_MOST, SOON, retry_within
from rooms.live.send_queue import SendQueue
from tests.support.client import Page
from tests.support.people import person
from tests.support.processes import LogTail, Site
from tests.support.rooms import open_room

pytestmark = pytest.mark.django_db(transaction=True)
SOCKETS = 25


async def closed_at(page: Page) -> float:
    await page.socket.wait_closed()
    return time.monotonic()


async def pages_closed(pages: list[Page]) -> None:
    """Wait until the first page is closed."""
    await asyncio.wait([asyncio.create_task(closed_at(page)) for page in pages], return_when=asyncio.FIRST_COMPLETED)


async def test_sockets_are_closed_one_by_one_and_the_process_ends(site: Site) -> None:
    site.start("web")
    log = LogTail(site.log("web"))
    room = await run(open_room)()
    pages = [Page(room, await run(person)() if number % 2 else None) for number in range(SOCKETS)]
    for page in pages:
        await page.__aenter__()
        assert (await page.wait_for("snapshot"))["retry_within"] == RETRY_LEAST
    web = site.running["web"]
    began = time.monotonic()
    web.send_signal(signal.SIGTERM)
    await pages_closed(pages)
    with pytest.raises(OSError):  # another process takes new ones
        await Page(room).__aenter__()
    closed = sorted(await asyncio.gather(*map(closed_at, pages)))
    assert {page.socket.close_code for page in pages} == {4503}
    said = [message for page in pages for message in page.seen if "error" in message]
    assert [message["retry_within"] for message in said] == [SOON] * SOCKETS
    assert {message["error"]["code"] for message in said} == {"unavailable"}
    assert closed[-1] - closed[0] > 0.7 * SOCKETS / CLOSED_A_SECOND, "all at once"
    assert await asyncio.to_thread(web.wait, 10) in (0, -signal.SIGTERM)
    assert time.monotonic() - began < 10
    site.running.pop("web")
    log.assert_no_failure()


async def test_the_more_sockets_the_longer_a_page_waits() -> None:
    hub = Hub()
    feed = hub.feeds[1] = Feed(1, hub.spawn)
    assert retry_within(hub) == RETRY_LEAST
    for number in range(1_000):
        feed.send_queues.add(SendQueue(1, f"a:{number}", "c", None, lambda: None, lambda code: None))
    assert retry_within(hub) == 3.0
    for number in range(9_000):
        feed.send_queues.add(SendQueue(1, f"a:{number}", "c", None, lambda: None, lambda code: None))
    assert retry_within(hub) == RETRY_MOST
    await hub.redis.aclose()
