"""A web process that is told to end closes its sockets one by one, and says when to come back."""

from __future__ import annotations

import asyncio
import signal
import socket
import time
from contextlib import ExitStack

import pytest
from channels.db import database_sync_to_async as run
from django.conf import settings

from rooms.live.feed import Feed
from rooms.live.hub import Hub
from rooms.live.restart import CLOSED_A_SECOND, RETRY_LEAST, RETRY_MOST, SOON, retry_within
from rooms.live.send_queue import SendQueue
from tests.support.client import Page
from tests.support.people import person, session_cookie
from tests.support.privileges import owner
from tests.support.processes import LogTail, Site
from tests.support.races import number_waiting
from tests.support.rooms import open_room
from tests.support.waiting import wait_until

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


def test_a_request_under_way_does_not_hold_the_end_up(site: Site) -> None:
    """Its thread needs the event loop once more, also where another request has ended by then."""
    site.start("web", REQUESTS_AT_ONCE="1")
    cookie = session_cookie(person("ada"))
    request = f"GET /settings/ HTTP/1.1\r\nHost: localhost\r\nCookie: {cookie}\r\n\r\n".encode()
    web = site.running["web"]
    with owner() as locking, ExitStack() as clients:
        with locking.transaction():
            locking.execute("LOCK TABLE people_session IN ACCESS EXCLUSIVE MODE")
            for _each in range(2):  # one is at work, the other waits for its turn
                client = clients.enter_context(socket.create_connection(("127.0.0.1", settings.PORT)))
                client.sendall(request)
            wait_until(lambda: number_waiting("people_session"), 10, "the request asks for its session")
            web.send_signal(signal.SIGTERM)
            time.sleep(1.0)
        assert web.wait(10) in (0, -signal.SIGTERM)
    site.running.pop("web")


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
