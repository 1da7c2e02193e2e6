"""The database decides who is heard: mute, unseat, end; and the supervisor's grants and refusals."""

from __future__ import annotations

import asyncio
import json
import time
import urllib.error
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import numpy as np
import pytest
import redis
from django.conf import settings

from core.threads import in_thread
from deploy.local.throwaway import Throwaway
from people.models import User
from rooms import actions
from rooms.guests import peers
from rooms.guests.near_listener import NearListener
from rooms.guests.talker import Talker
from rooms.guests.visitor import Browser, SiteRefused, Visitor, hear, listen, speak
from rooms.models import Room
from tests.rooms.media.company import tone
from tests.support.processes import Site, by_hand
from tests.support.waiting import say, wait_until

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


def test_what_is_given_and_what_is_refused(site: Site, room: Room) -> None:
    site.start("web", "media", STATIC_FILES="source", MEDIA_NEAR_LISTENERS="1")

    async def story() -> None:
        async with Visitor(Browser(site.url), room.slug) as one, Visitor(Browser(site.url), room.slug) as two:
            first = await listen(one, peers.Ears())
            assert first is not None
            assert await listen(two, peers.Ears()) is None, "one place only: the second is sent to HLS"
            await first.close()
            await one.ask("listen_stop")
            second = await listen(two, peers.Ears())
            assert second is not None, "a place that is free again is given again"
            await second.close()
            assert await code_of(one.ask("listen_answer", sdp="v=0")) == "bad_sdp"
            assert await code_of(one.ask("speak_offer", sdp="v=0")) == "not_signed_in"
            assert await code_of(one.ask("check_offer", sdp='{"janus":"attach"}')) == "not_signed_in"
            assert await code_of(one.ask("candidate", handle="speak", candidate={"candidate": "x"})) == "bad_candidate"
            assert await code_of(one.ask("candidate", handle="listen", candidate=None)) == "bad_candidate"
            for janus in ("attach", "message", "create", "trickle"):
                assert await code_of(one.ask(janus, janus=janus, plugin="janus.plugin.audiobridge")) == "unknown_verb"

    asyncio.run(story())
    wait_until(lambda: told("heartbeat").get("janus") and told("heartbeat").get("rooms") == 1, 60, "a sign of life")
    wait_until(lambda: told("probe").get("ok"), 60, "a probe recording")


def told(name: str) -> dict[str, Any]:
    """Return the status that the supervisor last wrote under this name; empty before the first."""
    with redis.Redis.from_url(settings.REDIS_URL, decode_responses=True) as client:
        return dict(json.loads(str(client.get(f"{settings.REDIS_PREFIX}media:{name}") or "{}")))


def test_a_microphone_check_connects_and_nobody_hears_it(
    sounding: Site, room: Room, guest: Callable[[str], Browser]
) -> None:
    browser = guest("nora")

    async def story() -> None:
        ears = peers.Ears()
        async with Visitor(browser, room.slug) as visitor:
            peer = peers.connection()
            peer.addTrack(peers.Clip(tone(), loop=True))
            hear(peer, ears)
            answer = await visitor.ask("check_offer", sdp=await peers.offer(peer))
            await peers.accept(peer, answer["sdp"])
            await until(lambda: peer.connectionState == "connected", 30)
            await asyncio.sleep(1)
            assert not np.any(np.abs(ears.samples()) > 300)
            await visitor.ask("check_stop")
            assert await code_of(speak(visitor, peers.Clip(tone()))) == "not_on_stage"
            await peer.close()

    asyncio.run(story())


async def code_of(work: Awaitable[object]) -> str:
    """Why it was refused."""
    try:
        await work
    except SiteRefused as error:
        return error.code
    return "ok"
