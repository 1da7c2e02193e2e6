"""The socket of pages outside of rooms: its number is right, its person's alone, and it ends with their session."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack
from typing import Any

import pytest
from channels.db import database_sync_to_async as run
from django.conf import settings
from websockets.exceptions import ConnectionClosed, InvalidStatus

from core import bus, loops
from people.actions import standing
from people.actions.standing import close_account, impose_sanction
from people.channels import people_channel, person_channel
from people.models import Session, User
from rooms.live.hub import Hub
from rooms.live.send_queue import LIMIT, NO_ROOM, SendQueue
from rooms.wire.sides import tell
from social.actions.blocks import block
from social.actions.messages import send_text
from social.actions.threads import clear_thread, mark_read
from social.wire import tell_unread
from tests.support.client import OutsidePage, Page
from tests.support.messages import written
from tests.support.people import person
from tests.support.processes import Site
from tests.support.rooms import open_room
from tests.support.waiting import until

AT_ONCE = 20.0  # seconds: ten times what it takes


async def test_each_page_has_the_number_at_once_and_when_it_changes(web: Site) -> None:
    anna, bert, carl = await run(person)("anna"), await run(person)("bert"), await run(person)("carl")
    room = await run(open_room)("host")
    thread = await run(written)(bert, anna, "one", "two")
    async with (
        OutsidePage(anna) as page,
        OutsidePage(anna) as other,
        OutsidePage(bert) as berts,
        Page(room, anna) as here,
    ):
        await page.number_is(2)
        await other.number_is(2)
        await berts.number_is(0)
        assert (await here.wait_for("snapshot"))["you"]["parts"]["unread"] == 2
        await run(written)(bert, anna, "three")
        for one in (page, other):
            await one.number_is(3, AT_ONCE)
        assert (await here.wait_for("unread", AT_ONCE))["messages"] == 3
        await run(mark_read)(anna, thread)
        await other.number_is(0, AT_ONCE)
        await run(written)(carl, anna, "four")
        await page.number_is(1, AT_ONCE)
        await run(clear_thread)(bert, thread)
        await run(block)(anna, bert)
        await run(written)(bert, anna, "not seen")
        await run(written)(carl, anna, "five")
        await other.number_is(2, AT_ONCE)
        assert [message["messages"] for message in berts.seen] == [0], "whose own line it is hears nothing"
        assert {key for message in page.seen for key in message} == {"type", "messages", "at"}
        assert {message["type"] for message in page.seen} == {"unread"}, "nothing of the room"
    async with OutsidePage(bert) as berts:
        await berts.number_is(0)


async def test_a_worker_delivers_what_was_sent(lent_site: Site) -> None:
    anna, bert = await run(person)("anna", messages_from="everyone"), await run(person)("bert")
    async with OutsidePage(anna) as page:
        await page.number_is(0)
        await run(send_text)(bert, anna, "Hello")
        await page.number_is(1, AT_ONCE)


async def test_nobody_comes_in_without_a_session_of_their_own(web: Site) -> None:
    anna = await run(person)("anna")
    async with OutsidePage() as page:
        assert await page.closed() == 4401 and page.seen == []
    async with OutsidePage(headers={"Cookie": f"{settings.SESSION_COOKIE_NAME}=nonsense"}) as page:
        assert await page.closed() == 4401
    with pytest.raises(InvalidStatus):
        await OutsidePage(anna, origin="https://evil.example").__aenter__()
    await run(impose_sanction)(anna, "suspended", None, "because")
    async with OutsidePage(anna) as page:
        assert await page.closed() == 4403 and page.seen == []


async def test_it_ends_with_its_session_or_account(web: Site) -> None:
    anna, bert, carl = [await run(person)(name) for name in ("anna", "bert", "carl")]

    def sign_out() -> None:
        session = Session.objects.get(user=anna)
        Session.objects.filter(ident=session.ident).delete()
        standing.standing_changed(anna, "signed_out", session.ident)

    async with OutsidePage(anna) as one, OutsidePage(bert) as two, OutsidePage(carl) as three:
        for page in (one, two, three):
            await page.number_is(0)
        await run(sign_out)()
        await run(impose_sanction)(bert, "suspended", None, "because")
        await run(close_account)(carl, None, "")
        assert {await page.closed(AT_ONCE) for page in (one, two, three)} == {4403}
        await run(tell_unread)([anna.pk, bert.pk, carl.pk])
        assert [len(page.seen) for page in (one, two, three)] == [1, 1, 1], "and not a word afterwards"


async def test_a_client_that_talks_is_ignored_and_one_that_floods_is_closed(web: Site) -> None:
    anna = await run(person)("anna")
    async with OutsidePage(anna) as page, OutsidePage(anna) as other:
        await page.number_is(0)
        await other.number_is(0)
        for frame in ("x", b"\x00\xff", json.dumps({"id": 1, "do": "mute"}), "[" * 5000):
            await page.send(frame)
        await run(tell_unread)([anna.pk])
        await page.number_is(0, AT_ONCE)
        assert len(page.seen) == 2, "no answer"
        for _number in range(50):
            try:
                await page.send("x")
            except ConnectionClosed:
                break
        assert await page.closed(AT_ONCE) == 4400
        await run(tell_unread)([anna.pk])
        await other.wait_for(lambda message: len(other.seen) >= 3, AT_ONCE)


async def test_hundreds_of_pages_of_one_person_are_too_many_and_keep_nobody_out_of_a_room(site: Site) -> None:
    await run(site.start)("web", PAGE_SOCKETS_PER_PERSON="4", SOCKETS_PER_PERSON="2")
    anna, room = await run(person)("anna"), await run(open_room)()
    async with AsyncExitStack() as stack:
        pages = [await stack.enter_async_context(OutsidePage(anna)) for _number in range(4)]
        for page in pages:
            await page.number_is(0)
        more = [await stack.enter_async_context(OutsidePage(anna)) for _number in range(8)]
        assert {await page.closed() for page in more} == {4429}
        own = await stack.enter_async_context(Page(room, anna))
        await own.wait_for("snapshot")


# --- in the hub, without sockets -------------------------------------------------------------------------------------


@pytest.fixture
async def hub(monkeypatch: pytest.MonkeyPatch) -> AsyncGenerator[Hub]:
    made = Hub()
    monkeypatch.setattr(loops, "_logged_at", {})  # tracebacks of what is tested here keep none of a later test away
    yield made
    for task in list(made.tasks):
        task.cancel()
    await asyncio.gather(*made.tasks, return_exceptions=True)
    await made.redis.aclose()


def queue_of(user: User, dropped: list[int] | None = None) -> SendQueue:
    on_drop = (lambda: dropped.append(1)) if dropped is not None else (lambda: None)
    return SendQueue(NO_ROOM, f"u:{user.pk}", "s.page.x", user.pk, on_drop, lambda code: None)


def taken(send_queue: SendQueue) -> list[Any]:
    found = []
    while (text := send_queue.take()) is not None:
        found.append(json.loads(text))
    return found


@pytest.mark.django_db(transaction=True)
async def test_an_overtaken_number_is_left_out_and_what_is_about_rooms_never_comes(hub: Hub) -> None:
    anna = await run(person)()
    send_queue = queue_of(anna)
    await hub.join_as_person(anna.pk, send_queue)
    send_queue.snapshot(json.dumps({"messages": 5}), 1000)

    def say(messages: int, at: int) -> None:
        bus.publish(person_channel(anna.pk), json.dumps({"type": "unread", "messages": messages, "at": at}))

    await run(tell)(anna.pk, {"type": "you_muted", "room": "x", "by": None})
    for messages, at in ((1, 900), (2, 2000), (3, 1500), (4, 3000)):
        await run(say)(messages, at)
    found: list[Any] = []

    def got() -> bool:
        found.extend(taken(send_queue))
        return bool(found) and found[-1].get("messages") == 4

    await until(got, AT_ONCE)
    assert [message.get("messages") for message in found] == [5, 2, 4]
    await hub.leave_as_person(send_queue)
    assert not hub.people and not hub.pages and not hub.person_subscribed
    await run(say)(9, 9000)
    assert taken(send_queue) == []


@pytest.mark.django_db(transaction=True)
async def test_numbers_of_many_come_in_one_message_and_each_page_has_its_person_s(hub: Hub) -> None:
    anna, bert, carl = [await run(person)(name) for name in ("anna", "bert", "carl")]
    await run(written)(bert, anna, "one", "two")
    await run(written)(anna, bert, "three")
    queues = [queue_of(anna), queue_of(anna), queue_of(bert)]  # carl has no page here
    for send_queue in queues:
        assert send_queue.user_pk is not None
        await hub.join_as_person(send_queue.user_pk, send_queue)
        send_queue.snapshot("{}", 0)
    async with hub.redis.pubsub() as pubsub:
        await pubsub.psubscribe(bus.key("pe*"))
        assert (await anext(pubsub.listen()))["type"] == "psubscribe"
        await run(tell_unread)([anna.pk, bert.pk, carl.pk])
        for poison in ("{}", "[]", '{"type":"unread","people":{},"at":1}', '{"type":"unread","people":[[1]],"at":1}'):
            await hub.redis.publish(people_channel(), poison)
        await run(tell_unread)([carl.pk, bert.pk])
        published = [message async for message in some(pubsub, 6)]
    assert {message["channel"] for message in published} == {people_channel()}, "a message for all, not one for each"
    found: list[list[Any]] = [[], [], []]

    def got() -> bool:
        for place, send_queue in enumerate(queues):
            found[place].extend(taken(send_queue))
        return len(found[2]) == 3

    await until(got, AT_ONCE)
    assert [[message.get("messages") for message in one] for one in found] == [[None, 2], [None, 2], [None, 1, 1]]
    assert {key for one in found for message in one[1:] for key in message} == {"type", "messages", "at"}


async def some(pubsub: Any, number: int) -> AsyncGenerator[Any]:
    """The next messages of a subscription."""
    async for message in pubsub.listen():
        if message["type"] == "pmessage":
            yield message
            number -= 1
            if not number:
                return


@pytest.mark.django_db(transaction=True)
async def test_nonsense_on_a_persons_channel_and_a_slow_reader_harm_nobody(hub: Hub) -> None:
    anna = await run(person)()
    dropped: list[int] = []
    slow, quick = queue_of(anna, dropped), queue_of(anna)
    for send_queue in (slow, quick):
        await hub.join_as_person(anna.pk, send_queue)
    channel = person_channel(anna.pk)
    for poison in ("", "{}", '{"type":"unread"}', '{"type":"unread","at":"x"}', '{"type":"seat_taken"}', "[1]"):
        await hub.redis.publish(channel, poison)
    heard = 0
    for number in range(LIMIT + 2):
        await hub.redis.publish(channel, json.dumps({"type": "unread", "messages": 1, "at": number + 1}))
        heard += len(taken(quick))
        if number % 50 == 0:
            await asyncio.sleep(0.01)

    def all_heard() -> bool:
        nonlocal heard
        heard += len(taken(quick))
        return heard == LIMIT + 2

    await until(all_heard, AT_ONCE)
    assert dropped == [1] and taken(slow) == []
