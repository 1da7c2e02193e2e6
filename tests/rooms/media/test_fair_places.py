"""Places for sound are shared: who never connects holds none, who takes many leaves others theirs."""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any

import pytest
import redis.asyncio
from channels.db import database_sync_to_async as run
from django.conf import settings

from core import bus
from rooms.guests.near_listener import NearListener
from rooms.guests.visitor import Browser
from rooms.media import redis_keys
from rooms.media.supervisor import fairness
from rooms.media.supervisor.state import Handle
from rooms.models import Room
from tests.rooms.media.test_sdp import CHROMIUM
from tests.support.client import Page, code
from tests.support.greedy import GREEDY, HONEST
from tests.support.people import person
from tests.support.processes import Site


@pytest.mark.parametrize(
    ("held", "who", "gets"),
    [
        ({}, "192.0.2.1", True),
        ({"u:1": 1}, "u:1", True),
        ({"u:1": 2}, "u:1", False),
        ({"192.0.2.1": 199}, "192.0.2.1", True),
        ({"192.0.2.1": 200}, "192.0.2.1", False),
        ({"192.0.2.1": 200}, "192.0.2.2", True),
        ({"192.0.2.1": 200, "192.0.2.2": 25}, "192.0.2.1", False),
        ({"192.0.2.1": 200, "192.0.2.2": 74}, "192.0.2.2", True),
        ({"192.0.2.1": 200, "192.0.2.2": 75}, "192.0.2.2", False),
        ({"192.0.2.1": 200, "192.0.2.2": 75}, "192.0.2.3", True),
        ({"192.0.2.1": 200, "192.0.2.2": 75}, "u:1", True),
        ({"192.0.2.1": 200, "192.0.2.2": 75, "192.0.2.3": 25}, "u:1", False),
    ],
)
def test_near_places_that_run_short_are_shared(held: dict[str, int], who: str, gets: bool) -> None:
    assert fairness.near_place(Counter(held), who, 300, 2, 200) is gets


def checks(*many: tuple[str, str, int]) -> list[Handle]:
    """So many checks of a person at an address, the oldest first."""
    rows = [(who, address) for who, address, count in many for _number in range(count)]
    return [
        Handle(number, "check", 1, f"c{number}", who, since=float(number), counted=who, address=address)
        for number, (who, address) in enumerate(rows)
    ]


def test_checks_make_way(settings: Any) -> None:
    settings.MEDIA_CHECKS_PER_ADDRESS = 3
    end = fairness.checks_to_end
    assert end([], "u:1", "a", 4) == []
    assert [check.id for check in end(checks(("u:1", "a", 2)), "u:1", "b", 4) or []] == [0, 1], "one a person"
    assert end(checks(("u:1", "a", 1), ("u:2", "a", 1), ("u:3", "a", 1)), "u:4", "a", 9) is None
    full = checks(("u:5", "b", 1), ("u:1", "a", 1), ("u:2", "a", 1), ("u:3", "a", 1))
    assert [check.id for check in end(full, "u:4", "c", 4) or []] == [1], "the oldest of who has most"
    assert end(checks(("u:1", "a", 1), ("u:2", "b", 1)), "u:4", "a", 2) is None


LIMITS = {
    "SOCKETS_PER_PERSON": "50",
    "MEDIA_NEAR_LISTENERS": "20",
    "MEDIA_NEAR_PER_ADDRESS": "12",
    "MEDIA_ICE_SECONDS": "20",  # forty answers take two
}


@asynccontextmanager
async def opened(pages: list[Page]) -> AsyncGenerator[None]:
    await asyncio.gather(*(page.__aenter__() for page in pages))
    try:
        yield
    finally:
        await asyncio.gather(*(page.__aexit__(None, None, None) for page in pages))


@pytest.mark.django_db(transaction=True)
async def test_who_asks_for_all_places_keeps_nobody_away(site: Site, room: Room) -> None:
    """One address asks with forty sockets and answers nothing: another one hears, and goes on hearing."""
    await run(site.start)("web", "media", **LIMITS)
    pages = [Page(room, local_addr=(GREEDY, 0)) for _number in range(40)]
    near = NearListener(Browser(site.url), room.slug)
    async with opened(pages):
        listening = asyncio.create_task(near.run())
        try:
            answers = await asyncio.gather(*(page.ask("listen", within=30) for page in pages))
            assert Counter(answer["use"] for answer in answers) == {"webrtc": 12, "hls": 28}
            async with Page(room, local_addr=(HONEST, 0)) as honest:
                assert (await honest.ask("listen"))["use"] == "webrtc"
            await forty_checks_of_one_person_block_nobody(room)
            await until_near(1, 120, listening)
            await asyncio.sleep(1)
            heard = len(near.ears.arrived)
            async with asyncio.timeout(60):  # who connected hears on
                while len(near.ears.arrived) < heard + 20:  # noqa: ASYNC110
                    await asyncio.sleep(0.1)
        finally:
            listening.cancel()
            await asyncio.gather(listening, return_exceptions=True)


async def forty_checks_of_one_person_block_nobody(room: Room) -> None:
    greedy, honest = [await run(person)(handle) for handle in ("greedy", "honest")]
    pages = [Page(room, greedy, local_addr=(GREEDY, 0)) for _number in range(41)]
    async with opened(pages):
        for page in pages:
            answer = await page.ask("check_offer", within=30, sdp=CHROMIUM)
            assert code(answer) == "ok", "the newest takes the place of the last"
        async with Page(room, honest, local_addr=(HONEST, 0)) as page:
            assert code(await page.ask("check_offer", sdp=CHROMIUM)) == "ok"


async def until_near(number: int, seconds: float, listening: asyncio.Task[None]) -> None:
    """Wait until the supervisor counts so many near listeners, as long as one goes on trying."""
    async with asyncio.timeout(seconds), redis.asyncio.Redis.from_url(settings.REDIS_URL) as client:
        while json.loads(await client.get(bus.key(redis_keys.HEARTBEAT)) or "{}").get("near") != number:
            assert not listening.done(), listening
            await asyncio.sleep(0.2)
