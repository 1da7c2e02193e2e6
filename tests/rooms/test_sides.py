"""The narrower channels: a room's host side and staff hear what nobody else does, for as long as they may."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator
from typing import Any

import pytest
from channels.db import database_sync_to_async as run
from django.db import transaction
from django.test import Client

from people.models import Session, User
from rooms import hooks
from rooms.live.hub import Hub
from rooms.live.rights import check_sockets
from rooms.live.send_queue import SendQueue
from rooms.models import Room, Seat
from rooms.rules.admission import Guest, admissions
from rooms.rules.identity import Who, new_conn
from rooms.wire import sides
from rooms.wire.snapshot import snapshot
from tests.support.people import person
from tests.support.rooms import open_room
from tests.support.staff import may_see_cases, sign_in_staff
from tests.support.waiting import until

pytestmark = pytest.mark.django_db(transaction=True)
SECRET: sides.Sided = {"type": "test", "room": "x", "data": {"word": "for the host"}}


@pytest.fixture
async def hub(monkeypatch: pytest.MonkeyPatch) -> AsyncGenerator[Hub]:
    monkeypatch.setattr(sides, "HOST_SIDE", ("test",))
    monkeypatch.setattr(sides, "STAFF", ("test",))
    made = Hub()
    yield made
    for task in list(made.tasks):
        task.cancel()
    await asyncio.gather(*made.tasks, return_exceptions=True)
    await made.redis.aclose()


async def join(hub: Hub, room: Room, user: User | None, session: str = "") -> SendQueue:
    key = "a:guest" if user is None else Who.of_user(user).key
    send_queue = SendQueue(
        room.pk, key, new_conn(session), None if user is None else user.pk, lambda: None, lambda code: None
    )
    await hub.join(room.pk, send_queue)
    return send_queue


def heard(send_queue: SendQueue) -> list[str]:
    return [text for text, _seq in send_queue.queue if json.loads(text)["type"] == "test"]


def session_for(user: User, *, as_staff: bool = False) -> str:
    """A new session of this person, with a second step where they work as staff."""
    browser = Client()
    if as_staff:
        sign_in_staff(browser, user)
    else:
        browser.force_login(user)
    return Session.objects.get(user=user).ident


async def hears(send_queue: SendQueue, times: int = 1) -> None:
    """Wait until it heard so many messages of the test's kind."""

    async def enough() -> bool:
        return len(heard(send_queue)) >= times

    await until(enough)


async def test_host_and_cohosts_hear_the_host_side_and_lose_it_with_their_role(hub: Hub) -> None:
    room: Room = await run(open_room)()
    helper, guest = await run(person)("helper"), await run(person)("guest")
    seat = await run(Seat.objects.create)(room=room, user=helper, role="cohost", place=11)
    send_queues = {}
    for user in (room.host, helper, guest, None):
        send_queues[user] = await join(hub, room, user, "" if user is None else await run(session_for)(user))
    assert await check_sockets(send_queues.values(), hub.set_sides) == 0
    await run(sides.tell_host_side)(room, SECRET)
    await hears(send_queues[room.host])
    await hears(send_queues[helper])
    seat.left_at = seat.taken_at
    await run(seat.save)()
    await check_sockets(send_queues.values(), hub.set_sides)
    await run(sides.tell_host_side)(room, SECRET)
    await hears(send_queues[room.host], 2)
    assert len(heard(send_queues[helper])) == 1
    assert heard(send_queues[guest]) == heard(send_queues[None]) == []
    await hub.set_sides(send_queues[room.host], frozenset())
    assert hub.narrow == {}
    await hub.leave(hub.feeds[room.pk], send_queues[room.host])
    await hub.set_sides(send_queues[room.host], frozenset({"host"}))
    assert hub.narrow == {}, "a check of rights that ends after it left adds nobody"


async def test_nothing_is_told_before_the_commit_or_outside_of_the_vocabulary(hub: Hub) -> None:
    room: Room = await run(open_room)()
    host = await join(hub, room, room.host)
    await hub.set_sides(host, frozenset({"host"}))

    def roll_back() -> None:
        with pytest.raises(RuntimeError), transaction.atomic():
            sides.tell_host_side(room, SECRET)
            raise RuntimeError

    await run(roll_back)()
    with pytest.raises(ValueError, match="vocabulary"):
        await run(sides.tell_host_side)(room, {"type": "other", "room": "x", "data": None})
    await run(sides.tell_host_side)(room, SECRET)
    await hears(host)
    assert len(heard(host)) == 1


async def test_staff_hear_with_a_session_that_used_a_second_step_lately(hub: Hub) -> None:
    room: Room = await run(open_room)()
    stale = await run(lambda: may_see_cases(person("moderator", is_staff=True)))()
    fresh = await run(lambda: may_see_cases(person("senior", is_staff=True)))()
    other = await run(person)("accountant", is_staff=True)
    ident = await run(session_for)(fresh, as_staff=True)
    send_queues = [await join(hub, room, stale, await run(session_for)(stale)), await join(hub, room, fresh, ident)]
    send_queues.append(await join(hub, room, other, await run(session_for)(other, as_staff=True)))
    await check_sockets(send_queues, hub.set_sides)
    await run(sides.tell_staff)(SECRET)
    await hears(send_queues[1])
    assert heard(send_queues[0]) == heard(send_queues[2]) == []
    await run(sides.tell_staff)(SECRET, not_to=[fresh.pk, other.pk])
    await run(sides.tell_staff)({**SECRET, "room": "y"}, not_to=[stale.pk])
    await hears(send_queues[1], 2)
    assert [json.loads(text) for text in heard(send_queues[1])] == [SECRET, {**SECRET, "room": "y"}], "and no accounts"
    found: dict[Guest, Any] = await run(admissions)([Guest(room.pk, Who.of_user(fresh).key, f"{ident}.page.x")])
    assert [one.sides for one in found.values()] == [frozenset({"staff"})]


def test_apps_above_add_parts_to_snapshots() -> None:
    room = open_room()
    hooks.snapshot_parts.register("test")(lambda room: {"title": room.title})
    hooks.personal_parts.register("test")(lambda room, user, facts: f"{user.handle}, {facts.role}")
    try:
        mine, nobodys = snapshot(room.pk, Who.of_user(room.host)), snapshot(room.pk, Who(None, "a:x"))
    finally:
        hooks.snapshot_parts.unregister("test")
        hooks.personal_parts.unregister("test")
    assert mine["parts"]["test"] == nobodys["parts"]["test"] == {"title": room.title}
    assert mine["you"]["parts"]["test"] == f"{room.host.handle}, host" and nobodys["you"]["parts"] == {}
