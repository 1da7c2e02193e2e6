"""Grants and refusals of the supervisor: places to listen, microphone checks, everything else by its code."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from typing import Any

import numpy as np
import pytest
import redis
from django.conf import settings

from rooms.guests import peers
from rooms.guests.visitor import Browser, SiteRefused, Visitor, hear, listen, speak
from rooms.models import Room
from tests.rooms.media.company import tone
from tests.rooms.media.test_power import until
from tests.support.processes import Site
from tests.support.waiting import wait_until

pytestmark = pytest.mark.django_db(transaction=True)


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
    """The status that the supervisor last wrote; empty before the first."""
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
            await until(lambda: peer.connectionState == "connected", 60)
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
        return str(error.code)
    return "ok"
