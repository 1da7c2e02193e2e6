"""The database decides who is heard: mute, unseat, end."""

from __future__ import annotations

import asyncio
import json
import time
import urllib.error
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest

from core import bus
from core.threads import in_thread
from deploy.local.throwaway import Throwaway
from people.models import User
from rooms import actions
from rooms.guests import peers
from rooms.guests.near_listener import NearListener
from rooms.guests.talker import Talker
from rooms.guests.visitor import Browser
from rooms.media import redis_keys
from rooms.rules.refusals import RoomRefused
from tests.rooms.media.company import QUIET, tone
from tests.rooms.media.conftest import signed_in
from tests.support.processes import Site, by_hand
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

    def is_connected_again(self, since: float) -> bool:
        """Whether both have a connection that was made since then (epoch seconds): something arrives, be it silence."""
        sends = (
            self.talker.clip.started is not None and self.talker.clip.started > since - time.time() + time.monotonic()
        )
        return sends and self.near.ears.arrived[-1] > since


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


def test_mute_unseat_and_end(lent_site: Site, services: Throwaway) -> None:
    """In one room roles that change under a voice, a held mute, which outlives Janus, and the end of a seat; in another
    the end of the room, before that."""
    muted, ended = Pair(lent_site, "nora"), Pair(lent_site, "mona")
    listener, playlist = Browser(lent_site.url), f"/r/{ended.room.slug}/live.m3u8"

    async def end() -> None:
        async with ended.talking() as near:
            await until(lambda: status_of(listener, playlist) == 200, 60)
            await in_thread(actions.end_room, ended.room.pk, ended.room.host)
            say(f"the room ended: silent after {await until(lambda: silent(near), 5) - 0.5:.1f} s")
            await until(lambda: near.over, 20)

    async def mute(other: asyncio.Task[None]) -> None:
        room, nora = muted.room, muted.user
        async with muted.talking() as near:
            await until(lambda: near.talking.get("nora") is True, 20)
            await through_the_roles(muted, near)
            await in_thread(actions.hold_mute, room.pk, nora, by=room.host)
            say(f"held by the host: silent after {await until(lambda: silent(near), 5) - 0.5:.1f} s")
            with pytest.raises(RoomRefused) as refused:
                await in_thread(actions.set_muted, room.pk, nora, False, by=nora)
            assert refused.value.code == "mute_held"
            await other
            killed = time.time()
            await by_hand(services.restart, "janus")
            say(f"connected again after {await until(lambda: muted.is_connected_again(killed), 60):.1f} s")
            await asyncio.sleep(2)
            assert near.ears.longest_gap(killed, time.time()) >= time.time() - killed - 0.1, "a mute must outlive Janus"
            await in_thread(actions.lift_mute, room.pk, nora, by=room.host)
            await in_thread(actions.set_muted, room.pk, nora, False, by=nora)
            say(f"unmuted by the speaker: heard after {await until(lambda: loud(near), 60):.1f} s")
            await in_thread(actions.unseat, room.pk, nora, by=room.host)
            say(f"off the stage: silent after {await until(lambda: silent(near), 5) - 0.5:.1f} s")

    async def both() -> None:
        await mute(asyncio.create_task(end()))

    asyncio.run(both())
    assert status_of(listener, playlist) in (404, 409, 410)


async def through_the_roles(pair: Pair, near: NearListener) -> None:
    """Make the voice a co-host, host, co-host and speaker again: its handle in Janus stays, and nobody hears a gap."""
    room, nora, host = pair.room, pair.user, pair.room.host
    began, before = time.time(), await in_thread(speaking_handles, room.pk)
    await in_thread(actions.name_cohost, room.pk, nora, by=host)
    await in_thread(actions.hand_over, room.pk, nora, by=host)
    await asyncio.sleep(2)  # two rounds of the supervisor
    await in_thread(actions.hand_over, room.pk, host, by=nora)
    await in_thread(actions.demote, room.pk, nora, by=host)
    await asyncio.sleep(2)
    gap = near.ears.longest_gap(began, time.time())
    say(f"named, handed over and back, demoted: longest gap {gap:.2f} s")
    assert gap < QUIET
    assert before and before == await in_thread(speaking_handles, room.pk)


def speaking_handles(room_pk: int) -> set[int]:
    """Ids of a room's handles in Janus that speak, as the supervisor keeps them."""
    kept: Any = bus.client().hgetall(bus.key(redis_keys.HANDLES))
    handles = [json.loads(text) for text in kept.values()]
    return {handle["id"] for handle in handles if (handle["kind"], handle["room"]) == ("speak", room_pk)}


def status_of(browser: Browser, path: str) -> int:
    try:
        browser.fetch(path)
    except urllib.error.HTTPError as error:
        return error.code
    return 200
