"""Rooms whose host is gone, with a co-host and without one, and speakers who lose their network for ten seconds."""

from __future__ import annotations

import asyncio
import time
from typing import Any

import pytest

from core.threads import in_thread
from people.models import User
from rooms import actions
from rooms.guests.talker import Talker
from rooms.guests.visitor import Visitor
from rooms.models import HandOver, Room, RoomEvent
from tests.rooms.media.company import QUIET
from tests.rooms.media.listeners import (
    FAINT,
    SETTLE,
    UNBROKEN,
    WITHIN,
    at_work,
    browser_of,
    files_of,
    seats_of,
)
from tests.rooms.media.table import Table
from tests.support.processes import Site
from tests.support.rooms import open_room
from tests.support.voices import GONE, HEARD, SILENCE, Voice, longest_silence, loudest, recorded_sound
from tests.support.waiting import say, until

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.alone]

BACK = 5.0  # seconds from the network's return until a voice is heard
OUTAGE = 10.0  # seconds without network
GRACE = 8  # seconds that a room waits for its host


class Away(Table):
    """A room with a co-host whose host goes, while two of its speakers lose their network; another without co-host."""

    def __init__(self, site: Site) -> None:
        room, self.other = (open_room(host, transcription=False) for host in ("anton", "berta"))
        super().__init__(site, room, "cora", "dan", "eve")
        self.hosts = [Visitor(browser_of(site, room.host.handle), room.slug) for room in (self.room, self.other)]
        self.cora, self.dan, self.eve = self.talker("cora"), self.speaker("dan"), self.speaker("eve")
        self.sam = Talker(self.browser("sam"), self.other.slug, Voice("0890").microphone())
        self.heir = User.objects.get(handle="cora")
        self.gone_at = self.back_at = self.done_at = 0.0

    async def story(self) -> None:
        async with at_work(self.listeners.near.run(), self.cora.run(), self.sam.run()):
            for host in self.hosts:
                await host.__aenter__()
            await asyncio.gather(self.dan.sit_and_speak(), self.eve.sit_and_speak())
            await self.listeners.hear(*self.voices.values())
            await until(lambda: self.sam.clip.sent > 0, WITHIN, 0.1, "a speaker in the other room")
            await in_thread(actions.name_cohost, self.room.pk, self.heir, by=self.room.host)
            async with at_work(self.sweep_every_second()):
                await self.lose_and_return()
        for speaker in (self.dan, self.eve):
            await speaker.go()

    async def sweep_every_second(self) -> None:
        """As beat has it done every five."""
        while True:
            await in_thread(actions.sweep_rooms)
            await asyncio.sleep(1.0)

    async def lose_and_return(self) -> None:
        seats = await in_thread(seats_of, self.room)
        self.gone_at = time.time()
        for host in self.hosts:
            await host.__aexit__(None, None, None)
        # Dan's comes back as it was; Eve's is another one, and for the server her old line still stands.
        plug_in = self.dan.unplug()
        self.dan.cut_line()
        self.eve.unplug()
        self.eve.freeze_line()
        await asyncio.sleep(OUTAGE)
        gone = [await self.listeners.level(self.voices[name], time.time() - OUTAGE / 2) for name in ("dan", "eve")]
        assert max(gone) < GONE
        self.back_at = time.time()
        plug_in()
        await asyncio.gather(self.dan.come(), self.eve.come())
        await self.eve.send()
        await self.listeners.hear(*self.voices.values(), since=self.back_at)
        assert await in_thread(seats_of, self.room) == seats
        await until(self.over, WITHIN, 0.2, "a hand-over and an end")
        await until(lambda: self.sam.over, WITHIN, 0.1, "the end of the other room for its speaker")
        await self.listeners.hear(self.voices["cora"], since=time.time())
        self.done_at = time.time()

    async def over(self) -> bool:
        def look() -> bool:
            room, other = (Room.objects.get(pk=one.pk) for one in (self.room, self.other))
            return room.host.handle == "cora" and other.status == Room.Status.ENDED

        return await in_thread(look)

    def check(self) -> None:
        handed, other = HandOver.objects.get(room=self.room), Room.objects.get(pk=self.other.pk)
        assert (handed.reason, other.end_reason) == ("host_gone", "host_gone") and other.ended_at is not None
        changed = RoomEvent.objects.get(room=self.room, type="host_changed").at_ms / 1000
        assert self.room.started_at is not None
        after = self.room.started_at.timestamp() + changed - self.gone_at, other.ended_at.timestamp() - self.gone_at
        say("the host gone: handed over after {:.1f} s, the other room ended after {:.1f} s".format(*after))
        assert min(after) >= GRACE - SETTLE
        ears = self.listeners
        took = {name: ears.began(self.voices[name], self.back_at, self.done_at) for name in ("dan", "eve")}
        say(f"heard again after {took['dan']:.1f} s by the same network, {took['eve']:.1f} s by another")
        assert max(took.values()) < BACK
        gap = ears.ears.longest_gap(self.gone_at, self.back_at, FAINT)  # the co-host alone
        say(f"the co-host near meanwhile: longest gap {gap:.2f} s")
        assert gap < QUIET

    def check_recording(self) -> None:
        files = files_of(self.room)
        sound = recorded_sound(files["cora"], self.gone_at, self.done_at)
        say(f"the co-host's track meanwhile: longest silence {longest_silence(sound):.2f} s")
        assert longest_silence(sound) < UNBROKEN and self.voices["cora"].level(sound) > HEARD
        for name in ("dan", "eve"):
            away = recorded_sound(files[name], self.gone_at + SETTLE, self.back_at - SETTLE)
            again = recorded_sound(files[name], self.back_at, self.done_at)
            assert loudest(away) < SILENCE and self.voices[name].level(again) > HEARD, name


def test_a_host_who_is_gone_and_speakers_without_network(lent_site: Site, settings: Any) -> None:
    settings.ROOM_HOST_GRACE_SECONDS = settings.ROOM_HAND_OVER_SECONDS = GRACE
    away = Away(lent_site)
    asyncio.run(away.story())
    away.check()
    actions.end_room(away.room.pk, away.heir)
    away.check_recording()
