"""The disk of the recordings hangs for good: people talk and hear on, hosts' verbs work, and no part waits for it."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Generator
from pathlib import Path
from typing import Any

import pytest
import redis
from django.conf import settings

from core.threads import in_thread
from people.models import User
from rooms import actions
from rooms.guests.visitor import Browser
from rooms.models import Recording, Room
from tests.rooms.media.test_disk import Listeners, readiness
from tests.support.hungdisk import HungDisk, hung_disk
from tests.support.people import person
from tests.support.processes import Site, by_hand
from tests.support.rooms import open_room
from tests.support.waiting import say, wait_until

SITE = {"STATIC_FILES": "source"}
WITHIN = 30.0  # seconds for what takes about three


@pytest.fixture
def disk(transactional_db: None) -> Generator[HungDisk]:
    with hung_disk(Path(settings.RECORDINGS_DIR)) as hung:
        yield hung


@pytest.fixture
def site_on_it(disk: HungDisk, site: Site) -> Generator[Site]:
    site.start("web", "media", "work", **SITE)
    yield site
    disk.answer()
    site.stop()
    for name in ("media", "web"):
        say(f"--- {name}\n{site.log(name).read_text(errors='replace')[-9000:]}")


def sign_of_life() -> dict[str, Any]:
    with redis.Redis.from_url(settings.REDIS_URL) as client:
        told = client.get(f"{settings.REDIS_PREFIX}media:heartbeat")
    return dict(json.loads(told)) if told else {}


class Watch:
    """Notes how long the supervisor showed no life."""

    def __init__(self) -> None:
        self.longest = 0.0

    async def run(self) -> None:
        while True:
            sign = await asyncio.to_thread(sign_of_life)
            if sign:
                self.longest = max(self.longest, time.time() - sign["at"])
            await asyncio.sleep(0.2)


async def until(true: Any, what: str, within: float = WITHIN) -> float:
    began = time.monotonic()
    while not true():
        assert time.monotonic() - began < within, f"not within {within} s: {what}"
        await asyncio.sleep(0.1)
    return time.monotonic() - began


def hears(people: Listeners) -> bool:
    now = time.time()
    return people.near.ears.longest_gap(now - 0.5, now) < 0.3


def far_goes_on(people: Listeners) -> bool:
    return bool(people.far_at) and time.time() - people.far_at[-1] < 1.5


async def mute(people: Listeners, room: Room, nora: User) -> None:
    await in_thread(actions.set_muted, room.pk, nora, True, by=room.host)
    say(f"muted: silent after {await until(lambda: not hears(people), 'the mute'):.1f} s")
    await in_thread(actions.set_muted, room.pk, nora, False, by=nora)
    say(f"unmuted: heard after {await until(lambda: hears(people), 'sound after the mute'):.1f} s")


async def story(people: Listeners, site: Site, disk: HungDisk, room: Room) -> None:
    nora = await in_thread(User.objects.get, handle="nora")
    watch = Watch()
    works = (people.talker.run(), people.near.run(), people.poll(), watch.run())
    tasks = [asyncio.create_task(work) for work in works]
    async with people.visitor:
        try:
            await until(lambda: hears(people) and far_goes_on(people), "sound")
            disk.hang()
            began = time.time()
            say(f"told after {await people.page.told('recording_paused', 1, WITHIN):.1f} s")
            await until(lambda: far_goes_on(people), "HLS goes on")
            await mute(people, room, nora)
            near, far = people.gaps(began)
            say(f"near silent {near:.1f} s (with the mute), HLS waited {far:.1f} s, no sign for {watch.longest:.1f} s")
            other = await in_thread(open_room, "second")
            browser = Browser(site.url)
            await until(lambda: sign_of_life().get("rooms") == 2, "a room that is opened now")
            parts = await asyncio.to_thread(readiness, site)
            assert parts["disk"]["state"] == "degraded" and parts["supervisor"]["state"] == "ok"
            await by_hand(taken_over, site)
            await until(lambda: hears(people) and far_goes_on(people), "sound after a take-over")
            await mute(people, room, nora)
            await asyncio.to_thread(browser.fetch, f"/r/{other.slug}/live.m3u8")
            await in_thread(actions.end_room, other.pk, other.host)
            await until(lambda: sign_of_life().get("rooms") == 1, "a room that ends")
            disk.answer()
            say(f"resumed after {await people.page.told('recording_resumed', 1, WITHIN):.1f} s")
            await asyncio.sleep(2)
            await until(lambda: hears(people) and far_goes_on(people), "sound after the hang")
        finally:
            disk.answer()
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)


def taken_over(site: Site) -> None:
    """The supervisor is killed, and another starts on the disk that hangs."""
    site.kill("media")
    site.start("media", **SITE)


@pytest.mark.django_db(transaction=True)
def test_a_disk_that_hangs_stops_the_recording_and_nothing_else(site_on_it: Site, disk: HungDisk, room: Room) -> None:
    person("nora")
    person("second", creator=True)
    asyncio.run(story(Listeners(site_on_it, room), site_on_it, disk, room))
    actions.end_room(room.pk, room.host)
    recording = wait_until(lambda: Recording.objects.filter(room=room, state="ready").first(), 60, "finishing")
    assert recording.missing_ms > 1000 and recording.files.count() >= 2
