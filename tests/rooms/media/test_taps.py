"""Taps: children of a room that other apps add. One hears what is said; those that fail or hang disturb nobody."""

from __future__ import annotations

import asyncio
import itertools
import os
import signal
import sys
import time
from collections.abc import AsyncGenerator, Callable, Generator, Sequence
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from django.conf import settings

from core import loops
from core.threads import in_thread
from rooms.guests import peers
from rooms.guests.talker import Talker
from rooms.guests.visitor import Browser
from rooms.hooks import MediaTap, media_taps
from rooms.media.janus.client import Janus
from rooms.media.supervisor.loop import Supervisor
from rooms.media.supervisor.studio import Studio
from rooms.media.supervisor.tap import TapChild
from rooms.models import Room
from rooms.recording import store
from tests.support.people import PASSWORD, person
from tests.support.processes import Site
from tests.support.voices import Voice
from tests.support.waiting import say

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.alone]
WITHIN = 60.0  # seconds for what takes a few


@contextmanager
def registered(**taps: type[MediaTap]) -> Generator[None]:
    """Taps by name, for the length of a test."""
    for name, tap in taps.items():
        media_taps.register(name)(tap)
    try:
        yield
    finally:
        for name in taps:
            media_taps.unregister(name)


@asynccontextmanager
async def supervising(room: Room) -> AsyncGenerator[tuple[Supervisor, Studio]]:
    """A supervisor in this process, where the tests' taps are registered, that has built the room."""
    supervisor = Supervisor()
    running = asyncio.create_task(supervisor.run())
    try:
        await until(lambda: room.pk in supervisor.context.studios, "the room is built")
        yield supervisor, supervisor.context.studios[room.pk]
    finally:
        supervisor.stop()
        await running


@asynccontextmanager
async def talking(talker: Talker) -> AsyncGenerator[None]:
    task = asyncio.create_task(talker.run())
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def until(true: Callable[[], Any], what: str, seconds: float = WITHIN) -> None:
    ends = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < ends, f"not within {seconds} s: {what}"
        await asyncio.sleep(0.1)
    say(what)


def tap_of(studio: Studio, name: str) -> TapChild:
    child = studio.children[f"tap {name}"]
    assert isinstance(child, TapChild)
    return child


def to_files_in(folder: Path) -> type[MediaTap]:
    """A tap that writes what it hears to a file for each start: 0.wav, 1.wav, …"""

    class Writer(MediaTap):
        def __init__(self, room_pk: int) -> None:
            super().__init__(room_pk)
            self.numbers = itertools.count()
            self.file: Path | None = None

        def command(self, mix: Sequence[str | bytes]) -> Sequence[str | bytes]:
            self.file = folder / f"{next(self.numbers)}.wav"
            return [*mix, "-flush_packets", "1", "-f", "wav", str(self.file)]

        def output(self) -> Path | None:
            return self.file

    return Writer


class Missing(MediaTap):
    required = True

    def command(self, mix: Sequence[str | bytes]) -> Sequence[str | bytes]:
        return ["/nowhere/no-such-program"]


class Broken(MediaTap):
    """Its code fails before there is a process."""

    def command(self, mix: Sequence[str | bytes]) -> Sequence[str | bytes]:
        raise ZeroDivisionError("a fault of a tap")


class Deaf(MediaTap):
    """Hangs from the start, does not end by SIGTERM, and never writes its output."""

    def command(self, mix: Sequence[str | bytes]) -> Sequence[str | bytes]:
        code = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); time.sleep(3600)"
        return [sys.executable, "-c", code]

    def output(self) -> Path | None:
        return Path("/nowhere/output")


def samples_of(path: Path) -> peers.Samples:
    """Samples of a file that may still be written: its header counts nothing yet."""
    if not path.exists():
        return np.zeros(0, np.int16)
    data = path.read_bytes()[78:]  # RIFF, fmt, LIST, data
    return np.frombuffer(data[: len(data) // 2 * 2], np.int16)


def seconds_of(path: Path) -> float:
    return len(samples_of(path)) / peers.RATE


def loud(path: Path) -> bool:
    samples = samples_of(path).astype(np.float64)
    return len(samples) > 0 and float(np.abs(samples[-3 * peers.RATE :]).max()) > 3000


def speaker(site: Site, voice: Voice, room: Room) -> Talker:
    person("nora")
    browser = Browser(site.url)
    browser.sign_in("nora", PASSWORD)
    return Talker(browser, room.slug, voice.microphone())


def test_a_tap_hears_what_is_said_and_comes_back(site: Site, room: Room, tmp_path: Path) -> None:
    """Beside it one whose program does not exist, one whose code fails, and one that hangs: sound and recording have
    not started twice, and nobody waits for the end of the one that hangs."""
    voice = Voice("0890")
    site.start("web", STATIC_FILES="source")
    talker = speaker(site, voice, room)
    length = len(voice.samples) / peers.RATE
    first, second = tmp_path / "0.wav", tmp_path / "1.wav"

    async def story() -> None:
        async with supervising(room) as (_supervisor, studio), talking(talker):
            ears, deaf = tap_of(studio, "ears"), tap_of(studio, "deaf")
            await until(lambda: loud(first), "the tap hears somebody")
            begun = seconds_of(first)
            await until(lambda: seconds_of(first) > begun + 2 * length, "all of it was said", 20 * length)
            killed, deaf_pid = ears.pid, deaf.pid
            assert killed is not None and ears.starts == 1
            os.kill(killed, signal.SIGKILL)
            await until(lambda: loud(second), "the tap is back and hears")
            await until(lambda: tap_of(studio, "missing").starts > 2, "another try of the missing one")
            await until(lambda: deaf.starts > 1 and deaf.pid not in (None, deaf_pid), "the deaf one was replaced")
            assert any(told.startswith("media-taps (") for told in await in_thread(loops.failing))
            assert tap_of(studio, "broken").pid is None
            assert [studio.children[name].starts for name in ("leveller", "recorder")] == [1, 1]
            pieces = len(list(store.hls_folder(room.pk).glob("0-*.m4s")))
            pids = [child.pid for child in studio.children.values() if child.pid]
            assert pieces > length
            began = time.monotonic()
        say(f"the supervisor ended after {time.monotonic() - began:.1f} s, the one that hangs with it")
        assert len(pids) == 4
        await until(lambda: not any(Path(f"/proc/{pid}").exists() for pid in pids), "all are gone", 10)

    with registered(ears=to_files_in(tmp_path), missing=Missing, broken=Broken, deaf=Deaf):
        asyncio.run(story())
    assert voice.share(samples_of(first)) >= 0.8


async def forwarders(janus: Janus, studio: Studio) -> set[int]:
    """The ports that Janus sends a room's mix to."""
    bridge = studio.bridge
    body = {"request": "listforwarders", "admin_key": settings.JANUS_ADMIN_KEY}
    data, _jsep = await janus.message(bridge.handle, {**body, "room": bridge.room, "secret": bridge.secret})
    return {forwarder["port"] for forwarder in data["rtp_forwarders"]}


def test_a_tap_that_is_not_there_any_more_gets_no_mix(room: Room, tmp_path: Path) -> None:
    """A later supervisor claims the rooms of one that had a tap which it does not know."""

    async def with_tap() -> int:
        async with supervising(room) as (supervisor, studio):
            await until(lambda: seconds_of(tmp_path / "0.wav") > 0.5, "the tap hears the room")
            await until(lambda: "tap ears" in supervisor.context.state.rooms[room.pk]["ports"], "its port is kept")
            ports = await forwarders(supervisor.context.janus, studio)
            assert ports == set(studio.ports) and len(ports) == 3
            port = studio.forwards["tap ears"].port
            assert port is not None
            return port

    async def without_tap(port: int) -> None:
        async with supervising(room) as (supervisor, studio):
            assert "tap ears" not in studio.children
            ends = time.monotonic() + WITHIN
            while port in (ports := await forwarders(supervisor.context.janus, studio)):
                assert time.monotonic() < ends, "Janus still sends the mix to a tap that is not there"
                await asyncio.sleep(0.1)
            assert ports == set(studio.ports) and len(ports) == 2

    with registered(ears=to_files_in(tmp_path)):
        port = asyncio.run(with_tap())
    asyncio.run(without_tap(port))
