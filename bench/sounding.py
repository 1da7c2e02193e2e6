"""A live room that sounds beside what is measured: how late it is heard near, and how old the newest piece by HLS is.

Somebody says short pieces with silence between, at distances that differ (as in `bench/sound.py`, by aiortc instead of
browsers). Two hear them near, four by HLS, asked of the web process itself.
"""

from __future__ import annotations

import asyncio
import itertools
import time
from collections.abc import AsyncGenerator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass
from typing import Any

import numpy as np

from bench.hls import Listener
from bench.near import near
from bench.sound import PAUSES, PIECE, RATE, delays, pieces
from bench.wire import share

NEAR, FAR = 2, 4  # listeners
LOUD = 0.04  # of full scale, which a near listener hears as the beginning of a piece
QUIET = 0.4  # seconds before it
WITHIN = 60.0  # seconds until the room sounds


@dataclass
class Sounds:
    """Sound that reached the listeners of a room in some seconds."""

    delays: list[float]  # seconds from mouth to ear, near
    gaps: list[float]  # seconds between two frames near, the longest of each listener
    ages: list[float]  # seconds, of the newest piece in the list whenever it was asked for
    failed: int  # requests by HLS

    def line(self) -> str:
        """Return the figures as text."""
        if not self.delays or not self.ages:
            return "nothing was heard"
        near_half, near_late = (1000 * share(self.delays, part) for part in (0.5, 0.95))
        return (
            f"near, mouth to ear p50 {near_half:.0f}, p95 {near_late:.0f} ms, "
            f"longest time between two frames {1000 * max(self.gaps):.0f} ms; by HLS the newest piece is "
            f"{share(self.ages, 0.5):.2f} s old, p95 {share(self.ages, 0.95):.2f} s, {self.failed} requests failed"
        )


def begins(ears: Any, since: float) -> list[float]:
    """Return when pieces began to be heard, in ms since 1970."""
    found, loud_at = [], 0.0
    for at, level in zip(ears.arrived, ears.levels, strict=False):
        if level > LOUD:
            if at - loud_at > QUIET and at >= since:
                found.append(at * 1000)
            loud_at = at
    return found


class Sounding:
    """A room that sounds."""

    def __init__(self, talker: Any, ears: list[Any], port: int) -> None:
        self._talker, self._ears, self._port = talker, ears, port

    def _spoken(self, since: float, until: float) -> list[float]:
        """Return when pieces began to be said, in ms since 1970."""
        from tests.support.captions import began_at

        lengths = [PIECE + pause for pause in PAUSES]
        starts = itertools.accumulate(itertools.cycle(lengths), initial=began_at(self._talker))
        early = itertools.takewhile(lambda at: at < until, starts)
        return [1000 * at for at in early if at >= since]

    async def measure(self, seconds: float) -> Sounds:
        """Listen for so many seconds."""
        since, loop = time.time(), asyncio.get_running_loop()
        far = [Listener(self._port, False, "") for _number in range(FAR)]
        path = f"/r/{self._talker.slug}/live.m3u8"
        with ThreadPoolExecutor(FAR) as pool:
            heard = [
                loop.run_in_executor(pool, one.listen, path, seconds, place / FAR) for place, one in enumerate(far)
            ]
            await asyncio.gather(*heard)
        until = time.time()
        late, gaps = [], []
        for ears in self._ears:
            late += delays(self._spoken(since, until - 1), begins(ears, since))
            arrived = [since, *(at for at in ears.arrived if since <= at <= until), until]
            gaps.append(max(after - before for before, after in itertools.pairwise(arrived)))
        return Sounds(late, gaps, [age for one in far for age in one.ages], sum(one.failed for one in far))


@asynccontextmanager
async def sounding(url: str, port: int, name: str) -> AsyncGenerator[Sounding]:
    """Open a room without captions and let it sound."""
    from rooms import actions
    from rooms.guests.peers import FRAME, Clip
    from rooms.guests.talker import Talker
    from rooms.guests.visitor import Browser
    from rooms.recording import store
    from tests.support.people import PASSWORD
    from tests.support.rooms import open_room
    from tests.support.waiting import until

    room = await asyncio.to_thread(open_room, name, transcription=False)
    said = (pieces() * 32767).astype(np.int16)
    assert len(said) % FRAME == 0 and len(said) == round(sum(PIECE + pause for pause in PAUSES) * RATE)
    browser = Browser(url)
    await asyncio.to_thread(browser.sign_in, name, PASSWORD)
    talker = Talker(browser, room.slug, Clip(said, loop=True))
    task = asyncio.create_task(talker.run())
    try:
        async with AsyncExitStack() as stack:
            folder = store.hls_folder(room.pk)
            await until(lambda: len(list(folder.glob("*.m4s"))) > 3, WITHIN, what="a room that sounds")
            yield Sounding(talker, [(await near(stack, url, room.slug))[1] for _number in range(NEAR)], port)
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task
        await asyncio.to_thread(actions.end_room, room.pk, room.host)
