"""The two speakers of the demo: one reads from a book (LibriVox), the other is synthesized (flite) and comments."""

from __future__ import annotations

import asyncio
import logging
import shutil
import subprocess
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
from django.conf import settings
from redis.exceptions import RedisError
from websockets.exceptions import WebSocketException

from core import bus, loops
from core.threads import in_thread
from people import demo
from rooms.guests import peers
from rooms.guests.demo import live_demo_room
from rooms.guests.talker import Talker
from rooms.guests.visitor import Browser, SiteRefused, Visitor

log = logging.getLogger(__name__)

# Errors while the site is away or when the room ends.
_AWAY = (SiteRefused, OSError, TimeoutError, WebSocketException)

CLIPS = Path("/usr/share/pocketsphinx/test/data/librivox")
LINES = (
    "Good evening, and welcome to the table. Priya reads, and I ask the questions.",
    "So he had the money, and he had the time to think about it. That never ends well.",
    "Not ill disposed, she says. I have met people like that. They are in my shop every day.",
    "Cold hearted and selfish, but respectable. My grandmother would have liked this writer.",
    "Poor man. He might have been amiable himself. Shall we hear that once more?",
)
READER, COMMENTER = demo.SPEAKERS[1], demo.SPEAKERS[0]
_PAUSE = 0.7  # seconds between turns
_POLL_SECONDS = 2.0  # between checks for a live demo room


class VoicesMissing(RuntimeError):
    """A package that the demo's voices need is not installed; the text says which."""


def script() -> tuple[peers.Samples, peers.Samples]:
    """Make the parts of reader and commenter; one is silent while the other talks. Raises VoicesMissing."""
    parts: dict[str, list[peers.Samples]] = {READER: [], COMMENTER: []}
    pause = np.zeros(int(_PAUSE * peers.RATE), np.int16)
    for speaker, samples in turns():
        for handle, part in parts.items():
            part += [samples if handle == speaker else np.zeros(len(samples), np.int16), pause]
    return np.concatenate(parts[READER]), np.concatenate(parts[COMMENTER])


def turns() -> list[tuple[str, peers.Samples]]:
    """Make what the two say in turn, with the handle of each; the commenter begins. Raises VoicesMissing."""
    clips = sorted(CLIPS.glob("*.wav"))
    if not clips:
        raise VoicesMissing("the demo's reader is missing: install pocketsphinx-testdata")
    said: list[tuple[str, peers.Samples]] = []
    for line, clip in zip(LINES, clips, strict=False):
        said += [(COMMENTER, _normalized(_synthesized(line))), (READER, _normalized(peers.read_clip(clip)))]
    return said


def times() -> list[tuple[int, int]]:
    """When each turn begins and ends, in ms from the beginning of the script. Raises VoicesMissing."""
    at, found = 0, []
    for _speaker, samples in turns():
        end = at + len(samples) * 1000 // peers.RATE
        found.append((at, end))
        at = end + int(_PAUSE * 1000)
    return found


def _normalized(samples: peers.Samples) -> peers.Samples:
    """Normalize samples to a peak of -6 dBFS."""
    peak = max(1, int(np.abs(samples.astype(np.int32)).max()))
    return (samples.astype(np.float64) * (0.5 * 32767 / peak)).astype(np.int16)


def _synthesized(line: str) -> peers.Samples:
    """Speak a line by flite; cached as a file. Raises VoicesMissing."""
    flite = shutil.which("flite")
    if flite is None:
        raise VoicesMissing("the demo's second voice is missing: install flite")
    folder = Path(settings.LOCAL_DIR) / "voices"
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    target = folder / f"line-{LINES.index(line)}.wav"
    if not target.exists():
        made = target.with_suffix(".part")
        subprocess.run([flite, "-voice", "rms", "-t", line, "-o", str(made)], check=True, capture_output=True)
        made.rename(target)
    return peers.read_clip(target)


async def talk_forever() -> None:
    """Talk in the demo's room whenever it is live. Runs until cancelled."""
    reads, comments = await asyncio.to_thread(script)
    async with asyncio.TaskGroup() as group:
        group.create_task(loops.keep("voices-life", _show_life))
        group.create_task(loops.keep("voices", lambda: _talk_where_it_is_live(reads, comments)))


async def _show_life() -> None:
    """Keep this process' heartbeat key in Redis, which expires after 10 s."""
    redis: Any = bus.connect()
    while True:
        with suppress(RedisError, OSError):
            await redis.set(bus.key("alive:voices"), "1", ex=10)
        await asyncio.sleep(3)


async def _talk_where_it_is_live(reads: peers.Samples, comments: peers.Samples) -> None:
    while True:
        try:
            room = await in_thread(live_demo_room)
            if room is not None:
                log.info("talking in %s", room.slug)
                await _talk(room.slug, reads, comments)
        except* _AWAY as errors:
            log.info("the demo's voices: %s", "; ".join(str(error) for error in errors.exceptions))
        await asyncio.sleep(_POLL_SECONDS)


async def _talk(slug: str, reads: peers.Samples, comments: peers.Samples) -> None:
    async with asyncio.TaskGroup() as group:
        host = group.create_task(_keep_host_present(slug))
        for handle, part in ((READER, reads), (COMMENTER, comments)):
            browser = await _signed_in(handle)
            group.create_task(Talker(browser, slug, peers.Clip(part, loop=True, aligned=True)).run())
        await host


async def _keep_host_present(slug: str) -> None:
    """Keep the host connected, microphone off, until the room ends: a room whose host is away would end."""
    browser = await _signed_in(demo.HOST)
    over = asyncio.Event()

    def hear(message: dict[str, object]) -> None:
        if message.get("type") == "room_ended":
            over.set()

    while not over.is_set():
        try:
            async with Visitor(browser, slug, hear) as visitor:
                await _first(over, visitor.closed)
        except (OSError, TimeoutError, WebSocketException) as error:  # the site restarts; the others go on
            log.info("the demo's host: %s", error or type(error).__name__)
        await asyncio.sleep(1)


async def _first(*events: asyncio.Event) -> None:
    waits = [asyncio.ensure_future(event.wait()) for event in events]
    await asyncio.wait(waits, return_when="FIRST_COMPLETED")
    for wait in waits:
        wait.cancel()


async def _signed_in(handle: str) -> Browser:
    browser = Browser(settings.SITE_URL)
    await asyncio.to_thread(browser.sign_in, handle, demo.password())
    return browser
