"""Rights that end while sockets of the same person are on their way in: two seconds later none of them is open."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Awaitable, Callable, Coroutine, Generator
from typing import Any

import pytest
from channels.db import database_sync_to_async as run
from websockets.asyncio.client import ClientConnection, connect

from people.actions.standing import impose_sanction
from people.models import User
from rooms import actions
from rooms.live.rights import RightsChanges
from rooms.models import Room
from rooms.rules.identity import COOKIE, new_key, sign
from tests.support.people import person, session_cookie
from tests.support.processes import Site, watched
from tests.support.rooms import open_room
from tests.support.shared_site import shared_site
from tests.support.waiting import until

AT_ONCE, ROUNDS = 5, 8
ENDS_WITHIN, AFTERWARDS = 0.3, 0.1  # seconds in which the rights end, and in which pages still come in after that
GONE_WITHIN = 2.0  # seconds after the commit
LIMITS = ("SOCKETS_NEW_PER_ADDRESS", "SOCKETS_PER_ADDRESS", "SOCKETS_PER_PERSON")


@pytest.fixture
def hospitable(request: pytest.FixtureRequest, static_files: None, transactional_db: None) -> Generator[Site]:
    """Daphne that lets one browser come in as often as it likes."""
    site = shared_site("web", file=request.path, **dict.fromkeys(LIMITS, "10000"))
    yield from watched(site)
    site.take_back()


class Crowd:
    """Pages of one browser that come in one after the other, some while the rights end."""

    def __init__(self, site: Site, room: Room, cookie: str) -> None:
        self.site, self.room, self.cookie = site, room, cookie
        self.sockets: list[ClientConnection] = []
        self.let_in = 0
        self.over = asyncio.Event()

    async def come(self) -> None:
        async def one() -> None:
            while not self.over.is_set():
                socket = await connect(
                    f"{self.site.ws_url}/ws/rooms/{self.room.slug}/",
                    origin=self.site.url,  # type: ignore[arg-type]
                    additional_headers={"Cookie": self.cookie},
                )
                self.sockets.append(socket)
                self.let_in += '"snapshot"' in str(await socket.recv())

        await asyncio.gather(*(one() for _number in range(AT_ONCE)))

    def open(self) -> list[ClientConnection]:
        return [socket for socket in self.sockets if socket.close_code is None]


async def race(site: Site, room: Room, cookie: str, end: Callable[[], Awaitable[Any]]) -> int:
    """Come in while the rights end; return how many were let in before."""
    crowd = Crowd(site, room, cookie)
    coming = asyncio.create_task(crowd.come())
    await asyncio.sleep(random.uniform(0.0, ENDS_WITHIN))
    await end()
    committed = time.monotonic()
    await asyncio.sleep(AFTERWARDS)
    crowd.over.set()
    await coming
    # Nobody comes any more: what is closed stays so, and two seconds after the commit it is too late.
    left = max(0.0, committed + GONE_WITHIN - time.monotonic())
    await until(lambda: not crowd.open(), left, what=f"the end of all {len(crowd.sockets)} sockets")
    return crowd.let_in


async def races(round_: Callable[[int], Coroutine[Any, Any, int]]) -> None:
    """Race again and again; some must have been let in, or nothing was shown."""
    assert sum([await round_(number) for number in range(ROUNDS)]) > ROUNDS


@pytest.mark.django_db(transaction=True)
async def test_a_removal_while_pages_come_in(hospitable: Site) -> None:
    room = await run(open_room)()

    async def removed(number: int) -> int:
        guest: User = await run(person)(f"guest{number}")
        cookie = await run(session_cookie)(guest)
        return await race(hospitable, room, cookie, lambda: run(actions.remove_person)(room.pk, guest, room.host))

    await races(removed)


@pytest.mark.django_db(transaction=True)
async def test_a_removal_while_the_same_browser_comes_in_signed_out(hospitable: Site) -> None:
    room = await run(open_room)()

    async def removed(number: int) -> int:
        guest: User = await run(person)(f"guest{number}")
        listener = f"{COOKIE}={sign(new_key())}"
        known = f"{await run(session_cookie)(guest)}; {listener}"
        async with connect(
            f"{hospitable.ws_url}/ws/rooms/{room.slug}/",
            origin=hospitable.url,  # type: ignore[arg-type]
            additional_headers={"Cookie": known},
        ) as socket:
            assert '"snapshot"' in str(await socket.recv())
            return await race(hospitable, room, listener, lambda: run(actions.remove_person)(room.pk, guest, room.host))

    await races(removed)


@pytest.mark.django_db(transaction=True)
async def test_a_policy_that_is_tightened_and_an_account_that_is_suspended(hospitable: Site) -> None:
    room = await run(open_room)()

    async def tightened(number: int) -> int:
        await run(actions.set_entry_policy)(room.pk, room.host, "anyone")
        end = run(actions.set_entry_policy)
        return await race(hospitable, room, f"{COOKIE}={sign(new_key())}", lambda: end(room.pk, room.host, "signed_in"))

    async def suspended(number: int) -> int:
        guest: User = await run(person)(f"guest{number}")
        cookie = await run(session_cookie)(guest)
        return await race(hospitable, room, cookie, lambda: run(impose_sanction)(guest, "suspended", None, "the test"))

    await races(tightened)
    await races(suspended)


def test_a_change_that_was_heard_before_the_socket_joined() -> None:
    changes = RightsChanges()
    assert changes.any_since(time.monotonic(), 1, 2), "nothing is heard yet: anything may have changed"
    changes.hear()
    since = time.monotonic()
    assert not changes.any_since(since, 1, 2)
    changes.note({"person": 2})
    assert changes.any_since(since, 1, 2) and not changes.any_since(since, 1, 3)
    assert not changes.any_since(time.monotonic(), 1, 2)
    changes.note({"room": 1})
    assert changes.any_since(since, 1, None) and not changes.any_since(since, 3, None)
    changes.lose()
    assert changes.any_since(time.monotonic(), 3, None)
