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
from typing import Any

import pytest
from channels.db import database_sync_to_async as run
from django.test import Client
from websockets.exceptions import ConnectionClosed

from core import bus
from moderation.actions.reports import REPORTS, STAFF_TOLD
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
SPEAKERS, SOCKETS, FRAMES = 6, 20, 40  # sockets of each speaker, which is as many as one may have; frames of each
NOBODIES = 100  # sockets signed out, each of a browser of its own


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
    """What the flood was answered, by code."""
    return Counter(code(message) for page in many for message in page.seen if "re" in message)


async def answered(many: list[Page]) -> None:
    wanted = len(many) * FRAMES
    await until(
        lambda: answers(many).total() >= wanted or all(page.socket.close_code for page in many),
        10 * SOON,
        0.2,
        "answers",
    )


async def test_hundreds_of_sockets_tell_the_host_no_more_of_quality_than_their_people_may(web: Site) -> None:
    log = LogTail(web.log("web"))
    room = await run(open_room)()
    speakers: list[User | None] = [await run(seated)(f"speaker{number}", room) for number in range(SPEAKERS)]
    async with (
        Page(room, room.host, local_addr=("127.0.0.3", 0)) as host,
        pages(room, [user for user in speakers for _number in range(SOCKETS)]) as many,
        pages(room, [None] * NOBODIES) as nobodies,
    ):
        await host.wait_for("snapshot")
        began = time.monotonic()
        floods = [flood(page, "quality", level=("weak", "bad")[n % 2]) for n, page in enumerate([*many, *nobodies])]
        work = asyncio.gather(*floods)
        waits: list[float] = []
        while not work.done() or len(waits) < 5:
            asked = time.monotonic()
            assert code(await host.ask("mute_all", SOON)) in ("ok", "too_fast")
            waits.append(time.monotonic() - asked)
            await asyncio.sleep(0.2)
        await work
        await answered([*many, *nobodies])
        lasted = time.monotonic() - began
        got, ignored = answers(many), answers(nobodies)
        told = len(host.of_type("quality"))
        say(f"{got}, {ignored} in {lasted:.1f} s; the host was told {told} times, and served within {max(waits):.1f} s")
        # Each person has one bucket for all their sockets.
        most = SPEAKERS * (QUALITY.burst + QUALITY.per_minute * lasted / 60 + 1)
        assert 0 < told == got["ok"] <= most < SPEAKERS * SOCKETS * FRAMES / 10
        assert got["too_fast"] > 0 and ignored["ok"] == 0
        assert max(waits) < SOON
    log.assert_no_failure()


async def test_hundreds_of_sockets_that_leave_again_and_again_take_no_hand_down_but_their_own(web: Site) -> None:
    log = LogTail(web.log("web"))
    room = await run(open_room)(speak_policy="invited")
    asker, leavers = await run(person)("asker"), [await run(person)(f"leaver{n}") for n in range(SPEAKERS)]
    await run(waiting)(room, [asker, *leavers])
    many_of: list[User | None] = [user for user in leavers for _number in range(SOCKETS)]
    async with Page(room, asker, local_addr=("127.0.0.3", 0)) as own:
        await own.wait_for("snapshot")
        async with pages(room, [*many_of, *[None] * NOBODIES]) as many:
            began = time.monotonic()
            await asyncio.gather(*[flood(page, "leave") for page in many])
            assert code(await own.ask("ping", SOON)) == "ok"
            await answered(many)
            lasted = time.monotonic() - began
            got, seen_by_people = answers(many), answers(many[: len(many_of)])
            say(f"{got} in {lasted:.1f} s")
            # A person's sockets share one bucket of acts; what is said is nothing until the last page closes.
            most = SPEAKERS * (ACTIONS.burst + ACTIONS.per_minute * lasted / 60 + 1)
            assert seen_by_people["ok"] <= most and seen_by_people["too_fast"] > 0
            assert await run(hands_up)(room) == 1 + SPEAKERS
            one_of_each = {page.user.pk: page for page in many if page.user is not None}
            for page in many:
                if page not in one_of_each.values():
                    await page.socket.close()
            assert await run(hands_up)(room) == 1 + SPEAKERS, "they have a page open still"
        await until(lambda: in_queue(room) == [asker.pk], SOON, 0.2, "the hands of those who left")
        assert code(await own.ask("lower_hand", SOON)) == "ok"
    log.assert_no_failure()


def waiting(room: Room, users: list[User]) -> None:
    Hand.objects.bulk_create(Hand(room=room, user=user) for user in users)


def in_queue(room: Room) -> list[int]:
    return list(Hand.objects.filter(room=room, lowered_at=None).values_list("user_id", flat=True))


def hands_up(room: Room) -> int:
    return len(in_queue(room))


# --- reports ----------------------------------------------------------------------------------------------------------


def send(client: Client, room: Room, address: str, **values: Any) -> int:
    body = {"category": "hate", "from_ms": 0, "to_ms": 5, **values}
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
