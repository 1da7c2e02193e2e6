"""Floods on the stage's side channels: many sockets with the verbs `quality` and `leave`, many accounts with reports.

What they may cause is limited, and who does nothing of it is served meanwhile.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from functools import partial
from typing import Any

import pytest
from channels.db import database_sync_to_async as run
from django.test import Client
from websockets.exceptions import ConnectionClosed

from core import bus
from core.throttle import Limit
from moderation.actions.filing import REPORTS, STAFF_TOLD
from moderation.models import Report
from people.models import User
from rooms import channels
from rooms.models import Hand, Room
from rooms.rules.limits import ACTIONS, QUALITY
from tests.support.client import Page, code
from tests.support.people import api_client, person
from tests.support.processes import LogTail, Site
from tests.support.rooms import open_room, seated
from tests.support.waiting import say, until

pytestmark = pytest.mark.django_db(transaction=True)
SOON = 20.0  # seconds; less than one where nothing else runs
PEOPLE, SOCKETS, FRAMES = 3, 20, 20  # speakers, and as many with a hand up; sockets of each, the most; frames of each
NOBODIES = 80  # sockets signed out, each of a browser of its own


@asynccontextmanager
async def pages(room: Room, users: list[User | None]) -> AsyncIterator[list[Page]]:
    async with AsyncExitStack() as stack:
        yield [await stack.enter_async_context(Page(room, user, local_addr=("127.0.0.2", 0))) for user in users]


async def flood(page: Page, verb: str, **values: Any) -> None:
    """Send the verb without waiting for any answer."""
    with suppress(ConnectionClosed):
        for number in range(FRAMES):
            await page.send(json.dumps({"id": 1000 + number, "do": verb, **values}))


def answers(many: list[Page]) -> Counter[str]:
    """Answers to the flood, counted by code."""
    return Counter(code(message) for page in many for message in page.seen if "re" in message)


class Flood:
    """A verb said by many sockets at once, without waiting; what came of it, and how long somebody else waited."""

    def __init__(self, many: list[Page], honest: Page) -> None:
        self.many, self.honest = many, honest
        self.lasted, self.waits = 0.0, list[float]()

    async def run(self, verb: str, **values: Any) -> None:
        began = time.monotonic()
        for page in self.many:
            page.seen.clear()
        work = asyncio.gather(*[flood(page, verb, **values) for page in self.many])
        while not work.done() or len(self.waits) < 3:
            asked = time.monotonic()
            assert code(await self.honest.ask("snapshot", SOON)) in ("ok", "too_fast")
            self.waits.append(time.monotonic() - asked)
            await asyncio.sleep(0.2)
        await work
        wanted = len(self.many) * FRAMES
        await until(lambda: answers(self.many).total() >= wanted, 10 * SOON, 0.2, "answers")
        self.lasted = time.monotonic() - began

    def most(self, limit: Limit, people: int) -> float:
        """So many acts of these people a limit may let pass, in Redis and, where that is late, in the process."""
        return 2 * people * (limit.burst + limit.per_minute * self.lasted / 60 + 1)


async def test_hundreds_of_sockets_tell_and_leave_no_more_often_than_their_people_may(web: Site) -> None:
    """The host hears of quality as often as people, not sockets, may tell; leaving is nothing while a page stays."""
    log = LogTail(web.log("web"))
    room = await run(open_room)()
    speakers = [await run(seated)(f"speaker{number}", room) for number in range(PEOPLE)]
    asker, leavers = await run(person)("asker"), [await run(person)(f"leaver{number}") for number in range(PEOPLE)]
    await run(waiting)(room, [asker, *leavers])
    people = [*speakers, *leavers]
    users: list[User | None] = [*[user for user in people for _number in range(SOCKETS)], *[None] * NOBODIES]
    async with Page(room, room.host, local_addr=("127.0.0.3", 0)) as host:
        await host.wait_for("snapshot")
        async with pages(room, users) as many:
            tells = Flood(many, host)
            await tells.run("quality", level="bad")
            by = {"speakers": many[: PEOPLE * SOCKETS], "nobodies": many[-NOBODIES:]}
            got, ignored, told = answers(by["speakers"]), answers(by["nobodies"]), len(host.of_type("quality"))
            say(f"quality: {got}, {ignored} in {tells.lasted:.1f} s; the host was told {told} times")
            say(f"and was served within {max(tells.waits):.1f} s")
            assert 0 < told == answers(many)["ok"] <= tells.most(QUALITY, PEOPLE) < PEOPLE * SOCKETS * FRAMES / 4
            assert got["too_fast"] > 0 and ignored["ok"] == 0

            leaves = Flood(many, host)
            await leaves.run("leave")
            got = answers([page for page in many if page.user is not None])
            say(f"leave: {got} in {leaves.lasted:.1f} s; the host was served within {max(leaves.waits):.1f} s")
            assert got["ok"] <= leaves.most(ACTIONS, len(people)) and got["too_fast"] > 0
            last = {page.user.pk: page for page in many if page.user is not None}
            for page in many:
                if page not in last.values():
                    await page.socket.close()
            assert len(await run(in_queue)(room)) == 1 + PEOPLE, "they have a page open still"
            for user in leavers:  # the flood may have refused what this very page said
                await until(partial(says_leave, last[user.pk]), 10 * SOON, 1.0, "a word that was not too fast")
        await until(partial(is_alone, room, asker), 10 * SOON, 0.2, "the hands of those who left")
        assert code(await host.ask("ping", SOON)) == "ok"
    log.assert_no_failure()


async def says_leave(page: Page) -> bool:
    return code(await page.ask("leave", SOON)) == "ok"


async def is_alone(room: Room, asker: User) -> bool:
    waiting_now: list[int] = await run(in_queue)(room)
    return waiting_now == [asker.pk]


def waiting(room: Room, users: list[User]) -> None:
    Hand.objects.bulk_create(Hand(room=room, user=user) for user in users)


def in_queue(room: Room) -> list[int]:
    return list(Hand.objects.filter(room=room, lowered_at=None).values_list("user_id", flat=True))


# --- reports ----------------------------------------------------------------------------------------------------------


def send(client: Client, room: Room, address: str, **values: Any) -> int:
    body = {"category": "hate", "good_faith": True, "from_ms": 0, "to_ms": 5, **values}
    path = f"/api/v1/rooms/{room.slug}/reports/"
    return client.post(path, body, "application/json", REMOTE_ADDR=address).status_code


def test_many_accounts_that_report_one_room_are_slowed_down_and_stop_nobody_else(settings: Any) -> None:
    """By address, which costs more than accounts do; staff are told a few times, not once for each."""
    settings.REPORTS_PER_ADDRESS = 20
    room = open_room()
    clients = [api_client(person(f"account{number}")) for number in range(30)]
    with bus.client().pubsub(ignore_subscribe_messages=True) as staff:  # type: ignore[no-untyped-call]
        staff.subscribe(channels.staff_channel())
        staff.get_message(timeout=1)
        began = time.monotonic()
        got = Counter(send(client, room, "192.0.2.7") for client in clients for _number in range(2))
        # Another address of the same home network is the same; another's is not, nor is what is urgent lost in it.
        other = api_client(person("neighbour"))
        assert send(other, room, "198.51.100.9", category="life_in_danger") == 201
        assert other.get(f"/api/v1/rooms/{room.slug}/", REMOTE_ADDR="192.0.2.7").status_code == 200
        lasted = time.monotonic() - began
        told = []
        while (message := staff.get_message(timeout=1)) is not None:
            told.append(json.loads(message["data"])["data"]["urgent"])
    assert set(got) == {201, 429} and got[201] <= 20 + 2 * lasted / 60 + 1
    assert Report.objects.count() == got[201] + 1
    assert (
        told.count(True) == 1 and 1 <= told.count(False) <= STAFF_TOLD.burst + STAFF_TOLD.per_minute * lasted / 60 + 1
    )


def test_one_account_at_many_addresses_and_many_addresses_of_one_network_are_slowed_down_too(settings: Any) -> None:
    room, client = open_room(), api_client(person("account"))
    began = time.monotonic()
    got = Counter(send(client, room, f"192.0.2.{number}") for number in range(REPORTS.burst + 10))
    assert got[201] <= REPORTS.burst + REPORTS.per_minute * (time.monotonic() - began) / 60 + 1 and got[429] > 0
    settings.REPORTS_PER_ADDRESS = 5
    began = time.monotonic()
    got = Counter(send(api_client(person()), room, f"2001:db8:1:1::{number:x}") for number in range(1, 16))
    assert got[201] <= 5 + 0.5 * (time.monotonic() - began) / 60 + 1 and got[429] > 0
