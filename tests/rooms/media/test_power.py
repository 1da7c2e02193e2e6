"""The database decides who is heard: mute, unseat, end."""

from __future__ import annotations

import asyncio
import time
import urllib.error
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager

import pytest

from core.threads import in_thread
from people.models import User
from rooms import actions
from rooms.guests import peers
from rooms.guests.near_listener import NearListener
from rooms.guests.talker import Talker
from rooms.guests.visitor import Browser
from tests.rooms.media.company import tone
from tests.rooms.media.conftest import signed_in
from tests.support.processes import Site
from tests.support.rooms import open_room
from tests.support.waiting import say

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.alone]


class Pair:
    """A room of its own, in which somebody never stops talking and a near listener hears it."""

    def __init__(self, site: Site, handle: str) -> None:
        self.room = open_room(f"host_of_{handle}")
        browser = signed_in(site, handle)
        self.user = User.objects.get(handle=handle)
        self.talker = Talker(browser, self.room.slug, peers.Clip(tone(), loop=True))
        self.near = NearListener(Browser(site.url), self.room.slug)

    @asynccontextmanager
    async def talking(self) -> AsyncGenerator[NearListener]:
        tasks = [asyncio.create_task(self.talker.run()), asyncio.create_task(self.near.run())]
        try:
            await until(lambda: loud(self.near), 60)
            yield self.near
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)


def loud(near: NearListener) -> bool:
    """Sound came without a gap in the last half second."""
    now = time.time()
    return near.ears.longest_gap(now - 0.5, now) < 0.3


def silent(near: NearListener) -> bool:
    now = time.time()
    return near.ears.longest_gap(now - 0.5, now) >= 0.5


async def until(true: Callable[[], bool], seconds: float) -> float:
    """Seconds until it is true; fails after a while."""
    began = time.monotonic()
    while time.monotonic() < began + seconds:
        if true():
            return time.monotonic() - began
        await asyncio.sleep(0.05)
    raise AssertionError(f"not within {seconds} s")


def test_mute_unseat_and_end(lent_site: Site) -> None:
    """In one room a mute and the end of a seat, in another the end of the room."""
    muted, ended = Pair(lent_site, "nora"), Pair(lent_site, "mona")
    listener, playlist = Browser(lent_site.url), f"/r/{ended.room.slug}/live.m3u8"

    async def end() -> None:
        async with ended.talking() as near:
            await until(lambda: status_of(listener, playlist) == 200, 60)
            await in_thread(actions.end_room, ended.room.pk, ended.room.host)
            say(f"the room ended: silent after {await until(lambda: silent(near), 5) - 0.5:.1f} s")
            await until(lambda: near.over, 20)

    async def mute() -> None:
        room, nora = muted.room, muted.user
        async with muted.talking() as near:
            await until(lambda: near.talking.get("nora") is True, 20)
            await in_thread(actions.set_muted, room.pk, nora, True, by=room.host)
            say(f"muted by the host: silent after {await until(lambda: silent(near), 5) - 0.5:.1f} s")
            await in_thread(actions.set_muted, room.pk, nora, False, by=nora)
            say(f"unmuted by the speaker: heard after {await until(lambda: loud(near), 60):.1f} s")
            await in_thread(actions.unseat, room.pk, nora, by=room.host)
            say(f"off the stage: silent after {await until(lambda: silent(near), 5) - 0.5:.1f} s")

    async def both() -> None:
        await asyncio.gather(end(), mute())

    asyncio.run(both())
    assert status_of(listener, playlist) in (404, 409, 410)


def status_of(browser: Browser, path: str) -> int:
    try:
        browser.fetch(path)
    except urllib.error.HTTPError as error:
        return error.code
    return 200
