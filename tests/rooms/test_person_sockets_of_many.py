"""Hundreds of sockets of `/ws/me/`, of one person and of many: limit, close codes, numbers."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Sequence
from contextlib import AsyncExitStack

import pytest
from channels.db import database_sync_to_async as run
from django.conf import settings
from django.db import transaction
from websockets.exceptions import ConnectionClosed

from people.models import Session, User
from social.actions.messages import deliver_messages, send_official
from social.hooks import DrawnMessage, official_texts
from tests.support.client import OutsidePage
from tests.support.messages import written
from tests.support.people import people, person, session_cookie
from tests.support.processes import Site
from tests.support.waiting import until

MANY = 300
AT_ONCE = 50  # that connect at a time
WITHIN = 100.0  # seconds, of a step for all of them: ten times what it takes on a busy machine


async def opened(stack: AsyncExitStack, cookies: Sequence[str]) -> list[OutsidePage]:
    pages = [OutsidePage(headers={"Cookie": cookie}) for cookie in cookies]
    for start in range(0, len(pages), AT_ONCE):
        await asyncio.gather(*(stack.enter_async_context(page) for page in pages[start : start + AT_ONCE]))
    await until(lambda: all(page.seen or page.reader.done() for page in pages), WITHIN)
    return pages


def is_open(page: OutsidePage) -> bool:
    return not page.reader.done()


def close_codes(pages: Sequence[OutsidePage]) -> Counter[int | None]:
    """How many were closed with each code; None for those that are open."""
    return Counter(None if is_open(page) else page.socket.close_code for page in pages)


def shown(pages: Sequence[OutsidePage]) -> list[int]:
    """The number that each page shows."""
    return [page.seen[-1]["messages"] for page in pages]


async def all_show(pages: Sequence[OutsidePage], numbers: Sequence[int]) -> None:
    await until(lambda: shown(pages) == list(numbers), WITHIN)


async def test_one_person_has_forty_and_each_that_closes_makes_room_for_another(web: Site) -> None:
    anna, bert = await run(person)("anna"), await run(person)("bert")
    cookie, most = await run(session_cookie)(anna), settings.PAGE_SOCKETS_PER_PERSON
    async with AsyncExitStack() as stack:
        pages = await opened(stack, [cookie] * MANY)
        assert close_codes(pages) == {None: most, 4429: MANY - most}
        assert all(page.seen == [] for page in pages if not is_open(page))
        mine = [page for page in pages if is_open(page)]
        (other,) = await opened(stack, [await run(session_cookie)(bert)])
        await run(written)(bert, anna, "one")
        await all_show(mine, [1] * most)
        assert shown([other]) == [0]
        left, stays = mine[:10], mine[10:]
        await asyncio.gather(*(page.socket.close() for page in left))

        async def one_comes_in() -> bool:
            stays.extend(page for page in await opened(stack, [cookie]) if is_open(page))
            return len(stays) == most

        await until(one_comes_in, WITHIN)
        assert close_codes(await opened(stack, [cookie] * 5)) == {4429: 5}
        await run(written)(bert, anna, "two")
        await all_show(stays, [2] * most)


async def test_each_of_many_people_has_their_own_number_and_close_code(
    web: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        official_texts, "_registered", {"test": lambda values, reader: [DrawnMessage("x")] * len(values)}
    )

    def deliver_to(users: Sequence[User]) -> None:
        with transaction.atomic():
            sent = send_official(list(users), "test", {})
        deliver_messages([message.pk for message in sent])

    users = await run(people)(MANY)
    cookies = await run(lambda: [session_cookie(user) for user in users])()
    async with AsyncExitStack() as stack:
        pages = await opened(stack, cookies)
        assert close_codes(pages) == {None: MANY} and shown(pages) == [0] * MANY
        await run(deliver_to)(users)
        await all_show(pages, [1] * MANY)
        await run(deliver_to)(users[::2])
        await all_show(pages, [2, 1] * (MANY // 2))
        flooding, signed_out = pages[:5], pages[5:25]
        await asyncio.gather(*(flood(page) for page in flooding))
        await run(Session.objects.filter(user__in=users[5:25]).delete)()
        await until(lambda: not any(is_open(page) for page in pages[:25]), WITHIN)
        assert close_codes(flooding) == {4400: 5} and close_codes(signed_out) == {4403: 20}
        assert close_codes(pages[25:]) == {None: MANY - 25}
        await run(deliver_to)(users)
        await all_show(pages, [number + (place >= 25) for place, number in enumerate([2, 1] * (MANY // 2))])


async def flood(page: OutsidePage) -> None:
    for _number in range(50):
        try:
            await page.send("x")
        except ConnectionClosed:
            return
