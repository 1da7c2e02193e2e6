"""An account is closed, signed out or kept off stages while its microphone is open: silence, wherever it was heard.

Measured by ear and spectrum: Nora's tone near by WebRTC, by HLS, in the mix and in her own track, while Mona's goes on.
Nora's page does as a cheating client would: it keeps its connection to the media server, goes on sending, and tries
again and again to come back.
"""

from __future__ import annotations

import asyncio
import time
import urllib.error
from collections.abc import Callable
from dataclasses import dataclass

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
from rooms.models import Recording, RecordingFile, Room
from rooms.recording import store
from tests.rooms.media.company import Analyst, loudness, signed_in, tone
from tests.rooms.media.kills import Mix
from tests.support.processes import Site
from tests.support.waiting import say, wait_until

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.alone]
WITHIN = 2.0  # seconds after the commit
CODEC = 0.2  # seconds by which a place in a file may differ from the clock
AFTER = 6.0  # seconds that are listened to afterwards


def close(user: User) -> None:
    standing.close_account(user, None, "asked for it")


def sign_out_everywhere(user: User) -> None:
    Session.objects.filter(user=user).delete()
    standing.standing_changed(user, "signed_out")


def no_stage(user: User) -> None:
    standing.impose_sanction(user, "no_stage", None, "shouting")


@dataclass
class Table:
    """Nora and Mona talk; Lena listens near and by HLS; Nora listens by a second page."""

    site: Site
    room: Room
    ended_at: float = 0.0

    def __post_init__(self) -> None:
        self.browsers = signed_in(self.site.url, self.room)
        actions.set_entry_policy(self.room.pk, self.room.host, "signed_in")
        self.talkers = [
            Talker(self.browsers[name], self.room.slug, peers.Clip(tone(hertz, level=0.2), loop=True))
            for name, hertz in (("nora", 440.0), ("mona", 1000.0))
        ]
        self.near = NearListener(self.browsers["lena"], self.room.slug)
        self.hers = NearListener(self.browsers["nora"], self.room.slug)
        self.ears = Analyst(self.near.ears)
        self.far = HlsListener(self.browsers["lena"], self.room.slug)

    async def story(self, end: Callable[[User], None]) -> None:
        works = [*(talker.run() for talker in self.talkers), self.near.run(), self.hers.run()]
        tasks = [asyncio.create_task(work) for work in works]
        try:
            await self.until(lambda: time.time() - min(map(self.ears.last, ("nora", "mona"))) < 1.0)
            await self.until(lambda: bool(self.hers.ears.arrived))
            await asyncio.to_thread(self.far.poll)
            await asyncio.sleep(2.0)
            nora = await in_thread(User.objects.get, handle="nora")
            await in_thread(end, nora)
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


@pytest.mark.parametrize(("end", "ears_end"), [(close, True), (sign_out_everywhere, True), (no_stage, False)])
def test_a_voice_without_the_right_to_it_falls_silent(
    sounding: Site,
    room: Room,
    end: Callable[[User], None],
    ears_end: bool,
) -> None:
    table = Table(sounding, room)
    asyncio.run(table.story(end))
    at = table.ended_at
    near, far = table.ears.last("nora") - at, max(table.by_hls("nora")) - at
    say(f"{end.__name__}: nora was last heard {near:+.2f} s near, said {far:+.2f} s by HLS, after the commit")
    assert near < WITHIN and far < WITHIN + CODEC
    assert table.ears.last("mona") > at + AFTER - 2 and max(table.by_hls("mona")) > at + 1.5, "mona goes on"
    last = table.hers.ears.arrived[-1] - at
    say(f"{end.__name__}: nora herself last heard something {last:+.2f} s after it")
    assert (last < WITHIN) is ears_end
    if ears_end:
        with pytest.raises(urllib.error.HTTPError) as refused:
            table.browsers["nora"].fetch(f"/r/{room.slug}/live.m3u8")
        assert refused.value.code in (401, 403)
    actions.end_room(room.pk, room.host)
    wait_until(lambda: Recording.objects.filter(room=room, state=Recording.State.READY).exists(), 90, "the recording")
    mix = Mix(room, store.mix_path(room.pk))
    assert mix.said("nora", at - 3, at) > 1.0 and mix.said("nora", at + WITHIN + CODEC, at + AFTER) == 0
    # A busy machine has holes in the sound; that she goes on is what counts, not how many there are.
    assert mix.said("mona", at + WITHIN, at + AFTER) > (AFTER - WITHIN) / 2
    assert mix.said("mona", at + AFTER - 2, at + AFTER) > 0, "up to the end"
    track = RecordingFile.objects.get(recording__room=room, seat__user__handle="nora")
    ends = mix.started + (track.start_ms + track.duration_ms) / 1000 - at
    say(f"{end.__name__}: her track ends {ends:+.2f} s after it")
    assert ends < WITHIN + CODEC
