"""Everybody in a room that things are done to: speakers each with a tone of their own, listeners near and far, a host.

Whose tone is in what was heard is told by its spectrum, so that a mute is judged by ear and not by what a row says.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import time
from collections.abc import AsyncGenerator, Callable, Iterable
from contextlib import asynccontextmanager
from typing import Any

import numpy as np
from django.db import connection
from websockets.exceptions import WebSocketException

from core.threads import in_thread
from people.models import User
from rooms import actions
from rooms.guests import peers
from rooms.guests.hls_listener import HlsListener
from rooms.guests.near_listener import NearListener
from rooms.guests.talker import Talker
from rooms.guests.visitor import Browser, SiteRefused, Visitor
from rooms.models import Room
from tests.support.people import PASSWORD, person
from tests.support.rooms import consented

TONES = {"nora": 440.0, "mona": 1000.0, "lena": 1600.0}  # no one's overtone is another's tone
HEARD = 0.05  # of full scale; each speaks at 0.2
QUIET = 0.6  # seconds; a pause that says that sound is not back
PAUSE = 0.1  # seconds
SETTLED = 1.0  # seconds of silence that are no hole of a busy machine's
_FRAME = np.arange(peers.FRAME) / peers.RATE
_WINDOW = np.hanning(peers.FRAME)
_EARS = {name: _WINDOW * np.exp(-2j * np.pi * hertz * _FRAME) for name, hertz in TONES.items()}


def tone(hertz: float = 440.0, seconds: int = 10, level: float = 0.25) -> peers.Samples:
    """A sound that never stops, at -12 dBFS unless told otherwise."""
    time_line = np.arange(peers.RATE * seconds) / peers.RATE
    return (level * 32767 * np.sin(2 * np.pi * hertz * time_line)).astype(np.int16)


def loudness(samples: peers.Samples, name: str) -> np.ndarray[Any, Any]:
    """How loud somebody's tone is in each 20 ms, of full scale."""
    frames = samples[: len(samples) // peers.FRAME * peers.FRAME].reshape(-1, peers.FRAME) / 32768
    found: np.ndarray[Any, Any] = 2 * np.abs(frames @ _EARS[name]) / _WINDOW.sum()
    return found


class Analyst:
    """Record of the voices heard by a pair of ears over time. Each stretch of sound is analysed once."""

    def __init__(self, ears: peers.Ears) -> None:
        self.ears = ears
        self.seen = 0
        self.left = np.zeros(0, np.int16)
        self.heard: dict[str, list[float]] = {name: [] for name in TONES}

    def look(self) -> None:
        """Take in what is new."""
        parts = self.ears.parts[self.seen :]
        if not parts:
            return
        self.seen += len(parts)
        samples = np.concatenate([self.left, *parts])
        count = len(samples) // peers.FRAME
        self.left = samples[count * peers.FRAME :]
        times = self.ears.arrived[-count:] if count else []
        for name in TONES:
            loud = loudness(samples, name) > HEARD
            # Two frames in a row: where a tone begins or breaks off, a single one has a little of every frequency.
            both = loud[1:] & loud[:-1]
            self.heard[name] += [times[min(place + 1, len(times) - 1)] for place in map(int, np.flatnonzero(both))]

    def last(self, name: str) -> float:
        """When somebody was heard last; 0 for never."""
        self.look()
        return self.heard[name][-1] if self.heard[name] else 0.0

    def seconds(self, name: str, since: float, until: float) -> float:
        """How much of somebody was heard."""
        self.look()
        return sum(since < at <= until for at in self.heard[name]) * peers.FRAME / peers.RATE

    def silence(self, name: str, since: float, until: float) -> float:
        """Seconds without somebody, all pauses together."""
        self.look()
        times = [since, *(at for at in self.heard[name] if since <= at <= until), until]
        return sum(after - before for before, after in itertools.pairwise(times) if after - before > PAUSE)

    def longest_gap(self, name: str, since: float, until: float) -> float:
        """The longest time, in seconds, without somebody's tone."""
        self.look()
        times = [since, *(at for at in self.heard[name] if since <= at <= until), until]
        return max(after - before for before, after in itertools.pairwise(times))


class Host:
    """The host's page: says its verbs whatever is down, and notes from when on they worked again."""

    def __init__(self, browser: Browser, slug: str) -> None:
        self.browser, self.slug = browser, slug
        self.visitor: Visitor | None = None
        self.worked = self.failed = self.back = 0.0  # the last success, the last failure, the first success after it

    async def run(self) -> None:
        """At the table with a closed microphone, and back there whenever the line is lost."""
        while True:
            with contextlib.suppress(OSError, TimeoutError, WebSocketException):
                async with Visitor(self.browser, self.slug) as visitor:
                    self.visitor = visitor
                    await visitor.closed.wait()
            self.visitor = None
            await asyncio.sleep(0.3)

    async def ask(self, verb: str, **values: str) -> bool:
        """Whether it was done."""
        try:
            if self.visitor is None:
                raise ConnectionError("no line")
            await self.visitor.ask(verb, **values)
        except (SiteRefused, OSError, TimeoutError, WebSocketException):
            self.failed = time.time()
            return False
        now = time.time()
        self.back = now if self.failed > self.worked else self.back
        self.worked = now
        return True


def signed_in(site: str, room: Room) -> dict[str, Browser]:
    """The speakers and the host, each in a browser, agreed to be recorded."""
    browsers = {}
    for name in (*TONES, "host"):
        consented(room.host if name == "host" else person(name), room)
        browsers[name] = Browser(site)
        browsers[name].sign_in(name, PASSWORD)
    connection.close()
    return browsers


class Company:
    """Nora talks without an end. Lena was muted by the host at the beginning. Mona is muted anew in every trouble."""

    def __init__(self, site: str, room: Room, browsers: dict[str, Browser]) -> None:
        self.room = room
        self.talkers = {
            name: Talker(browsers[name], room.slug, peers.Clip(tone(hertz, level=0.2), loop=True))
            for name, hertz in TONES.items()
        }
        self.near = NearListener(Browser(site), room.slug)
        self.ears = Analyst(self.near.ears)
        self.far = HlsListener(Browser(site), room.slug)
        self.far_at: list[float] = []
        self.host = Host(browsers["host"], room.slug)
        self.began = 0.0
        self.lena_silent_from = 0.0

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
        """All of them, until the block ends."""
        works = [self.near.run(), self.host.run(), *(talker.run() for talker in self.talkers.values())]
        tasks = [asyncio.create_task(work) for work in works]
        try:
            await self.until(lambda: all(self.hears(name) for name in TONES), "everybody is heard", 60)
            self.began = time.time()
            await self.say("mute", user="lena")
            await self.until(lambda: time.time() - self.ears.last("lena") > SETTLED, "lena was muted", 10)
            self.lena_silent_from = time.time()
            tasks.append(asyncio.create_task(self.poll()))
            await self.until(lambda: self.hears("nora") and bool(self.far_at), "sound on both ways", 60)
            yield
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    def hears(self, name: str) -> bool:
        """Whether the near listener hears somebody now."""
        return time.time() - self.ears.last(name) < 0.3

    async def say(self, verb: str, **values: str) -> None:
        """One of the host's verbs, until it is done."""
        async with asyncio.timeout(30):
            for _try in itertools.count():
                if await self.host.ask(verb, **values):
                    return
                await asyncio.sleep(0.2)

    async def open_mona(self) -> None:
        """Mona opens her microphone, and is heard."""
        mona = await in_thread(User.objects.get, handle="mona")
        await in_thread(actions.set_muted, self.room.pk, mona, False, by=mona)
        await self.until(lambda: self.hears("mona"), "mona is heard", 30)

    def all_is_well(self) -> bool:
        """Sound came without a pause in the last moment on both ways, mona is silent, and verbs work."""
        now = time.time()
        near = self.ears.longest_gap("nora", now - 1, now) < QUIET
        far = bool(self.far_at) and now - self.far_at[-1] < 1.6
        verbs = self.host.worked > self.host.failed and now - self.host.worked < 1.5
        return near and far and verbs and not self.hears("mona")

    async def until(self, true: Callable[[], bool], what: str, seconds: float) -> None:
        """Wait; fails after a while."""
        ends = time.monotonic() + seconds
        while not true():
            assert time.monotonic() < ends, f"not within {seconds} s: {what}"
            await asyncio.sleep(0.1)


def longest(times: Iterable[float]) -> float:
    """The longest time between two neighbours."""
    return max((after - before for before, after in itertools.pairwise(times)), default=0.0)
