"""An account is closed, signed out or kept off stages while its microphone is open: silence, wherever it was heard.

Measured by ear and spectrum: Nora's tone near by WebRTC, by HLS, in the mix and in her own track, while Mona's goes on.
Nora's page does as a cheating client would: it keeps its connection to the media server, goes on sending, and tries
again and again to come back.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass
from urllib.error import HTTPError

import numpy as np
import pytest

from core.threads import in_thread
from people.actions import standing
from people.models import Session, User
from rooms import actions
from rooms.guests import peers
from rooms.guests.hls_listener import HlsListener
from rooms.guests.near_listener import NearListener
from rooms.guests.talker import Talker
from rooms.guests.visitor import Browser
from rooms.models import Recording, RecordingFile
from rooms.recording import store
from tests.rooms.media.company import Analyst, loudness, tone
from tests.rooms.media.kills import Mix
from tests.support.people import PASSWORD, person
from tests.support.processes import Site
from tests.support.rooms import consented, open_room
from tests.support.waiting import say, wait_until

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.alone]
WITHIN = 2.0  # seconds after the commit
CODEC = 0.2  # seconds by which a place in a file may differ from the clock
BEFORE = 2.0  # seconds that are listened to before
AFTER = 6.0  # and afterwards


def close(user: User) -> None:
    standing.close_account(user, None, "asked for it")


def sign_out_everywhere(user: User) -> None:
    Session.objects.filter(user=user).delete()
    standing.standing_changed(user, "signed_out")


def no_stage(user: User) -> None:
    standing.impose_sanction(user, "no_stage", None, "shouting")


@dataclass
class Table:
    """A room of its own: Nora and Mona talk; Lena listens near and by HLS; Nora listens by a second page.

    `end` takes Nora's right to speak; `ears_end` says whether it takes her right to listen, too.
    """

    site: Site
    number: int
    end: Callable[[User], None]
    ears_end: bool
    ended_at: float = 0.0

    def __post_init__(self) -> None:
        self.room = open_room(f"host{self.number}")
        self.users = {name: consented(person(f"{name}{self.number}"), self.room) for name in ("nora", "mona", "lena")}
        self.browsers = {name: Browser(self.site.url) for name in self.users}
        for name, browser in self.browsers.items():
            browser.sign_in(self.users[name].handle, PASSWORD)
        actions.set_entry_policy(self.room.pk, self.room.host, "signed_in")
        self.talkers = [
            Talker(self.browsers[name], self.room.slug, peers.Clip(tone(hertz, level=0.2), loop=True))
            for name, hertz in (("nora", 440.0), ("mona", 1000.0))
        ]
        self.near = NearListener(self.browsers["lena"], self.room.slug)
        self.hers = NearListener(self.browsers["nora"], self.room.slug)
        self.ears = Analyst(self.near.ears)
        self.far = HlsListener(self.browsers["lena"], self.room.slug)

    async def story(self) -> None:
        works = [*(talker.run() for talker in self.talkers), self.near.run(), self.hers.run()]
        tasks = [asyncio.create_task(work) for work in works]
        try:
            await self.until(lambda: time.time() - min(map(self.ears.last, ("nora", "mona"))) < 1.0)
            await self.until(lambda: bool(self.hers.ears.arrived))
            await asyncio.to_thread(self.far.poll)
            await asyncio.sleep(BEFORE)
            await in_thread(self.end, self.users["nora"])
            self.ended_at = time.time()
            while time.time() < self.ended_at + AFTER:
                await asyncio.to_thread(self.far.poll)
                await asyncio.sleep(0.5)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def until(self, true: Callable[[], bool]) -> None:
        end = time.monotonic() + 120
        while not true():
            assert time.monotonic() < end, "not in time"
            await asyncio.sleep(0.1)

    def by_hls(self, name: str) -> list[float]:
        """When somebody was heard by HLS, on the clock on which it was said."""
        began = self.far.pieces[min(self.far.pieces)].at.timestamp()
        loud = loudness(self.far.samples(), name) > 0.05
        return [began + place * 0.02 for place in np.flatnonzero(loud[1:] & loud[:-1])]

    def check_live(self) -> None:
        """Check the sound that people heard meanwhile."""
        at, name = self.ended_at, self.end.__name__
        near, far = self.ears.last("nora") - at, max(self.by_hls("nora")) - at
        say(f"{name}: nora was last heard {near:+.2f} s near, said {far:+.2f} s by HLS, after the commit")
        assert near < WITHIN and far < WITHIN + CODEC, name
        assert self.ears.last("mona") > at + AFTER - 2 and max(self.by_hls("mona")) > at + 1.5, f"{name}: mona goes on"
        last = self.hers.ears.arrived[-1] - at
        say(f"{name}: nora herself last heard something {last:+.2f} s after it")
        assert (last < WITHIN) is self.ears_end, name
        if self.ears_end:
            with pytest.raises(HTTPError) as refused:
                self.browsers["nora"].fetch(f"/r/{self.room.slug}/live.m3u8")
            assert refused.value.code in (401, 403), name

    def check_files(self) -> None:
        """Check the recording of it."""
        at, name = self.ended_at, self.end.__name__
        mix = Mix(self.room, store.mix_path(self.room.pk))
        assert mix.said("nora", at - 3, at) > 1.0, name
        assert mix.said("nora", at + WITHIN + CODEC, at + AFTER) == 0, name
        # A busy machine has holes in the sound; that she goes on is what counts, not how many there are.
        assert mix.said("mona", at + WITHIN, at + AFTER) > (AFTER - WITHIN) / 2, name
        assert mix.said("mona", at + AFTER - 2, at + AFTER) > 0, f"{name}: up to the end"
        track = RecordingFile.objects.get(recording__room=self.room, seat__user=self.users["nora"])
        ends = mix.started + (track.start_ms + track.duration_ms) / 1000 - at
        say(f"{name}: her track ends {ends:+.2f} s after it")
        assert ends < WITHIN + CODEC, name


def test_a_voice_without_the_right_to_it_falls_silent(lent_site: Site) -> None:
    """Three rooms at once: in each, another way in which a right ends."""
    ways = ((close, True), (sign_out_everywhere, True), (no_stage, False))
    tables = [Table(lent_site, number, *way) for number, way in enumerate(ways)]

    async def together() -> None:
        await asyncio.gather(*(table.story() for table in tables))

    asyncio.run(together())
    for table in tables:
        table.check_live()
        actions.end_room(table.room.pk, table.room.host)
    ready = Recording.objects.filter(state=Recording.State.READY)
    wait_until(lambda: ready.count() == len(tables), 120, "the recordings")
    for table in tables:
        table.check_files()
