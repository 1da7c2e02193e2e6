"""Who is heard is the database's word: mute, unseat, end; and what the supervisor gives and refuses."""

from __future__ import annotations

import asyncio
import time
import urllib.error
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager

import pytest

from core.threads import in_thread
from deploy.local.throwaway import Throwaway
from people.models import User
from rooms import actions
from rooms.media import peers
from rooms.media.near_listener import NearListener
from rooms.media.talker import Talker
from rooms.media.visitor import Browser
from rooms.models import Room
from tests.processes import Site
from tests.rooms.media.company import tone
from tests.rooms.media.conftest import by_hand, say, wait_until

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.alone]


@asynccontextmanager
async def talking(site: Site, room: Room, speaker: Browser) -> AsyncGenerator[NearListener]:
    """A speaker who never stops and a near listener who hears it."""
    talker = Talker(speaker, room.slug, peers.Clip(tone(), loop=True))
    near = NearListener(Browser(site.url), room.slug)
    tasks = [asyncio.create_task(talker.run()), asyncio.create_task(near.run())]
    try:
        await until(lambda: loud(near), 60)
        yield near
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


def test_mute_unseat_and_end(sounding: Site, services: Throwaway, room: Room, guest: Callable[[str], Browser]) -> None:
    speaker = guest("nora")
    nora = User.objects.get(handle="nora")

    async def story() -> None:
        async with talking(sounding, room, speaker) as near:
            await until(lambda: near.talking.get("nora") is True, 20)
            await in_thread(actions.set_muted, room.pk, nora, True, by=room.host)
            say(f"muted by the host: silent after {await until(lambda: silent(near), 5) - 0.5:.1f} s")
            await by_hand(services.restart, "janus")
            await asyncio.sleep(6)
            assert silent(near), "a mute must outlive Janus"
            await in_thread(actions.set_muted, room.pk, nora, False, by=nora)
            say(f"unmuted by the speaker: heard after {await until(lambda: loud(near), 60):.1f} s")
            await in_thread(actions.unseat, room.pk, nora, by=room.host)
            say(f"off the stage: silent after {await until(lambda: silent(near), 5) - 0.5:.1f} s")

    asyncio.run(story())


def test_the_end_is_the_end_on_every_way(sounding: Site, room: Room, guest: Callable[[str], Browser]) -> None:
    listener = Browser(sounding.url)

    async def story() -> None:
        async with talking(sounding, room, guest_browser) as near:
            await in_thread(actions.end_room, room.pk, room.host)
            say(f"the room ended: silent after {await until(lambda: silent(near), 5) - 0.5:.1f} s")
            await until(lambda: near.over, 20)

    guest_browser = guest("nora")
    wait_until(lambda: status_of(listener, f"/r/{room.slug}/live.m3u8") == 200, 60, "the first piece")
    asyncio.run(story())
    assert status_of(listener, f"/r/{room.slug}/live.m3u8") in (404, 409, 410)


def status_of(browser: Browser, path: str) -> int:
    try:
        browser.fetch(path)
    except urllib.error.HTTPError as error:
        return error.code
    return 200
