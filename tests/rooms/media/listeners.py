"""Listeners of a room who say whose voice they hear, and what tests of the stage ask of site, recording and Janus."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncGenerator, Coroutine
from contextlib import asynccontextmanager
from typing import Any

from django.conf import settings

from core import bus
from rooms.guests import peers
from rooms.guests.hls_listener import HlsListener
from rooms.guests.near_listener import NearListener
from rooms.guests.visitor import Browser
from rooms.media import redis_keys
from rooms.media.janus import bridge, mountpoint
from rooms.media.janus.client import Janus
from rooms.models import Recording, RecordingFile, Room, Seat
from tests.support.people import PASSWORD
from tests.support.processes import Site
from tests.support.voices import GONE, HEARD, KNOWN_BY, Voice, far_sound, near_sound
from tests.support.waiting import until, wait_until

WITHIN = 60.0  # seconds for what takes one
LOOK = 3.0  # seconds of sound by which it is said who is in it
UNBROKEN = 0.3  # seconds; a packet is 0.02, and a busy machine may lose some
SETTLE = 1.0  # seconds at both ends of a time in which nothing may be heard
FAINT = 0.001  # of full scale: a peak below it is silence


class Listeners:
    """One who listens near and one by HLS. Voices are looked for beside the event loop, which has others to send."""

    def __init__(self, site: Site, room: Room) -> None:
        self.near = NearListener(Browser(site.url), room.slug)
        self.far = HlsListener(Browser(site.url), room.slug)

    @property
    def ears(self) -> peers.Ears:
        return self.near.ears

    async def level(self, voice: Voice, since: float) -> float:
        """How loud a voice was near since a moment, in dB; GONE where that is too short to say."""
        heard = near_sound(self.ears, since, time.time())
        return await asyncio.to_thread(voice.level, heard) if len(heard) > KNOWN_BY * peers.RATE else GONE

    async def far_level(self, voice: Voice, since: float, until: float) -> float:
        """How loud it was by HLS between two moments."""
        return await asyncio.to_thread(lambda: voice.level(far_sound(self.far, since, until)))

    async def hears(self, voice: Voice, since: float = 0.0) -> bool:
        """Whether a voice is heard near now; of what came before `since` nothing counts."""
        return await self.level(voice, max(since, time.time() - LOOK)) > HEARD

    async def hear(self, *voices: Voice, since: float = 0.0) -> None:
        """Wait until all of these voices are heard near."""
        for voice in voices:
            await until(lambda voice=voice: self.hears(voice, since), WITHIN, 0.2, f"{voice.name} is heard")  # type: ignore[misc]

    def began(self, voice: Voice, since: float, until: float) -> float:
        """Seconds from a moment until a voice that was not there was heard near; up to one too many."""
        for step in range(1, int((until - since) * 10)):
            end = since + step / 10
            heard = near_sound(self.ears, end - KNOWN_BY - 0.1, end)
            if len(heard) > KNOWN_BY * peers.RATE and voice.level(heard) > HEARD:
                return step / 10
        raise AssertionError(f"{voice.name} was not heard")

    def last_sound(self, since: float) -> float:
        """Seconds from a moment on until the last packet that was no silence; 0 where none was."""
        loud = [at for at, level in zip(self.ears.arrived, self.ears.levels, strict=False) if level > FAINT]
        return max(0.0, loud[-1] - since) if loud else 0.0

    def is_silent(self) -> bool:
        """Whether the last half second was silence, which is not the same as no packets."""
        now = time.time()
        return self.ears.arrived[-1] > now - 0.3 and self.ears.longest_gap(now - 0.5, now, FAINT) >= 0.5

    async def fetched(self, moment: float) -> None:
        """Wait until the one by HLS has all that was said until then."""
        await until(lambda: self._newest() > moment, WITHIN, 0.1, "pieces of that time")

    def _newest(self) -> float:
        return max((piece.at.timestamp() for piece in [*self.far.pieces.values()]), default=0.0)


@asynccontextmanager
async def at_work(*works: Coroutine[Any, Any, object]) -> AsyncGenerator[None]:
    """Run these beside the block. One that failed makes the block fail at its end."""
    tasks = [asyncio.create_task(work) for work in works]
    try:
        yield
        for task in tasks:
            if task.done():
                task.result()
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def browser_of(site: Site, handle: str) -> Browser:
    """A browser of somebody who has an account already."""
    browser = Browser(site.url)
    browser.sign_in(handle, PASSWORD)
    return browser


def seats_of(room: Room) -> dict[str, tuple[int, bool]]:
    """Keys of the open seats, and whether each is muted, by handle."""
    seats = Seat.objects.filter(room=room, left_at=None)
    return {handle: (pk, muted) for handle, pk, muted in seats.values_list("user__handle", "pk", "muted")}


def files_of(room: Room) -> dict[str, RecordingFile]:
    """The finished recording: tracks by handle, and `mix`."""
    made = wait_until(lambda: Recording.objects.filter(room=room, state="ready").first(), 90, "finishing")
    files = made.files.select_related("seat__user", "recording__room")
    return {file.seat.user.handle if file.seat else "mix": file for file in files}


def speaking_handles(room_pk: int) -> set[int]:
    """Ids of a room's handles in Janus that speak, as the supervisor keeps them."""
    kept: Any = bus.client().hgetall(bus.key(redis_keys.HANDLES))
    handles = [json.loads(text) for text in kept.values()]
    return {handle["id"] for handle in handles if (handle["kind"], handle["room"]) == ("speak", room_pk)}


async def in_janus(room: Room) -> tuple[set[str], int]:
    """The names in a room's mix, and how many listen near, as Janus itself says."""
    janus = Janus(settings.JANUS_WS_URL, settings.JANUS_API_SECRET, lambda _event: None)
    name, key = f"room-{room.pk}", settings.JANUS_ADMIN_KEY
    await janus.open()
    try:
        speaking = await bridge.participants(janus, bridge.Bridge(name, "", await janus.attach(bridge.PLUGIN)))
        asked = {"request": "info", "id": name, "secret": bridge.secret_of(key, mountpoint.PLUGIN, name)}
        data, _jsep = await janus.message(await janus.attach(mountpoint.PLUGIN), asked)
        return set(speaking), int(data["info"]["viewers"])
    finally:
        await janus.close(destroy=True)
