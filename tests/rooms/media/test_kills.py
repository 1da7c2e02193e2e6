"""Parts of the sound die in the middle of a room: people hear again by themselves, and the gap is measured."""

from __future__ import annotations

import asyncio
import itertools
import os
import signal
import time
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import numpy as np
import pytest

from deploy.local.throwaway import Throwaway
from rooms.media import peers
from rooms.media.hls_listener import HlsListener
from rooms.media.near_listener import NearListener
from rooms.media.talker import Talker
from rooms.media.visitor import Browser
from rooms.models import Room
from rooms.recording import playlists, store
from tests.processes import Site
from tests.rooms.media.conftest import by_hand, say

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.alone]

WITHIN = 10.0  # seconds until people hear again


def tone(hertz: float = 440.0, seconds: int = 10) -> peers.Samples:
    """A sound that never stops, at -12 dBFS."""
    time_line = np.arange(peers.RATE * seconds) / peers.RATE
    return (0.25 * 32767 * np.sin(2 * np.pi * hertz * time_line)).astype(np.int16)


class Company:
    """A speaker, a near and a far listener."""

    def __init__(self, site: Site, room: Room, speaker: Browser) -> None:
        self.talker = Talker(speaker, room.slug, peers.Clip(tone(), loop=True))
        self.near = NearListener(Browser(site.url), room.slug)
        self.far = HlsListener(Browser(site.url), room.slug)
        self.far_at: list[float] = []

    async def poll(self) -> None:
        """As a player: what fails is tried again."""
        while True:
            before = len(self.far.pieces)
            try:
                await asyncio.to_thread(self.far.poll)
            except OSError:
                self.far.failures += 1
            if len(self.far.pieces) > before:
                self.far_at.append(time.time())
            await asyncio.sleep(0.4)

    @asynccontextmanager
    async def together(self) -> AsyncGenerator[None]:
        """All three, until the block ends."""
        tasks = [asyncio.create_task(work) for work in (self.talker.run(), self.near.run(), self.poll())]
        try:
            async with asyncio.timeout(15):
                await self._all_hear()
            yield
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def after(self, kill: Callable[[], object]) -> tuple[float, float]:
        """Kill something; seconds without sound for the near and without a new piece for the far listener."""
        killed = time.time()
        await by_hand(kill)
        await asyncio.sleep(3)
        with suppress(TimeoutError):
            async with asyncio.timeout(WITHIN):
                await self._all_hear()
        times = [at for at in self.far_at if at > killed - 1.5] + [time.time()]
        far = max((after - before for before, after in itertools.pairwise(times)), default=WITHIN)
        return self.near.ears.longest_gap(killed, time.time() - 0.5), far

    async def _all_hear(self) -> None:
        """Until sound came within the last moment, on both ways."""
        while True:
            await asyncio.sleep(0.2)
            now = time.time()
            if self.near.ears.longest_gap(now - 1, now) < 0.6 and self.far_at and now - self.far_at[-1] < 1.6:
                return


def recorded_gap(room_pk: int) -> float:
    """Seconds that the recording misses between its runs."""
    pieces = playlists.runs(playlists.parse(store.playlist_texts(room_pk)))
    ends = [run.segments[-1].end for run in pieces]
    return sum((run.at - end).total_seconds() for run, end in zip(pieces[1:], ends, strict=False))


def ffmpegs(word: str) -> list[int]:
    """Process numbers of ffmpegs that this test run's supervisor started, by a word in their command line."""
    root = str(store.folder(0).parent)
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            words = path.read_bytes().replace(b"\0", b" ").decode(errors="replace")
        except OSError:
            continue
        parent = _environment(path.parent)
        if words.startswith("ffmpeg") and word in words and root in parent:
            found.append(int(path.parent.name))
    return found


def _environment(process: Path) -> str:
    try:
        return (process / "environ").read_text(errors="replace")
    except OSError:
        return ""


def test_people_hear_again_whatever_is_killed(
    sounding: Site, services: Throwaway, room: Room, guest: Callable[[str], Browser]
) -> None:
    sounding.start("standby", DEBUG="true")
    company = Company(sounding, room, guest("nora"))

    def kill_recorder() -> None:
        for pid in ffmpegs("-f hls"):
            os.kill(pid, signal.SIGKILL)

    def kill_leveller() -> None:
        for pid in ffmpegs("libopus"):
            os.kill(pid, signal.SIGKILL)

    def stall_recorder() -> None:
        for pid in ffmpegs("-f hls"):
            os.kill(pid, signal.SIGSTOP)

    def kill_supervisor() -> None:
        sounding.kill("media")
        sounding.running["media"] = sounding.running.pop("standby")
        sounding.start("standby", DEBUG="true")

    kills: dict[str, Callable[[], object]] = {
        "recorder": kill_recorder,
        "leveller": kill_leveller,
        "stalled recorder": stall_recorder,
        "supervisor": kill_supervisor,
        "Janus": lambda: services.restart("janus"),
    }

    async def story() -> None:
        async with company.together():
            for name, kill in kills.items():
                missing = recorded_gap(room.pk)
                near, far = await company.after(kill)
                lost = recorded_gap(room.pk) - missing
                say(f"{name:17} near silent {near:4.1f} s   far waits {far:4.1f} s   recording misses {lost:4.1f} s")
                assert near < WITHIN, f"{name}: the near listener"
                playlist = "".join(store.playlist_texts(room.pk))[-900:]
                assert far < WITHIN, f"{name}: the far listener, {company.far.failures} failures\n{playlist}"
                assert 0 <= lost < WITHIN, f"{name}: the recording"
                assert len(ffmpegs("-f hls")) == 1, f"{name}: one recorder"
                assert len(ffmpegs("libopus")) == 1, f"{name}: one leveller"

    asyncio.run(story())
    sounding.stop("standby", "media")
    assert not ffmpegs(""), "orphans"
