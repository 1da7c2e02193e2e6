"""Listeners of a room, in a process of their own because what they hear must not wait for anybody else's work.

    python bench/listeners.py SITE SLUG HANDLE NUMBER

HANDLE speaks, on and on; NUMBER listen by WebRTC and as many by HLS. "ready" is printed when all of them hear. Then,
for each line of two moments (Unix time), the longest times in seconds, `near` and `hls`, in which one heard nothing
between them. It is a part of returns.py.
"""

from __future__ import annotations

import asyncio
import itertools
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

if TYPE_CHECKING:
    from rooms.guests.hls_listener import HlsListener

IN_HAND = 2.0  # seconds that a player of HLS has when it gets the newest piece
PIECE = 1.1  # seconds at most
WITHIN = 60.0  # seconds until everybody hears
WATCHED = 6.0  # seconds from a moment on, in which what a player has in hand is played and what comes after it is there
POLLS = 0.4  # seconds


class Listeners:
    """The process, seen from the bench."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self.process = process
        assert self._read() == "ready", "the listeners do not hear"

    def _read(self) -> str:
        assert self.process.stdout is not None
        return self.process.stdout.readline().strip()

    def silent(self, since: float) -> dict[str, float]:
        """Return the longest silence of a listener of each kind since a moment, at least WATCHED seconds ago."""
        time.sleep(max(0.0, since + WATCHED - time.time()))
        assert self.process.stdin is not None
        self.process.stdin.write(f"{since} {time.time()}\n")
        self.process.stdin.flush()
        return dict(json.loads(self._read()))


@contextmanager
def listening(site: str, slug: str, handle: str, number: int, log: Path) -> Iterator[Listeners]:
    """Run them in a process of their own."""
    line = [sys.executable, __file__, site, slug, handle, str(number)]
    with log.open("w") as errors:
        process = subprocess.Popen(line, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=errors, text=True)
        try:
            yield Listeners(process)
        finally:
            process.kill()
            process.wait()


def silence_of(far: HlsListener, since: float, until: float) -> float:
    """Return the longest silence of a player of these pieces: it waits where the next one is not there when it has
    played what it has in hand; a piece that it never got is silent, and so is what is silent in a piece."""
    from rooms.guests.hls_listener import Decoder
    from tests.support.voices import longest_silence

    pieces = [far.pieces[number] for number in sorted(far.pieces)]
    before = max((place for place, piece in enumerate(pieces) if piece.fetched <= since), default=0)
    pieces = pieces[before:]
    ends, longest = pieces[0].fetched + IN_HAND, 0.0
    for piece, after in itertools.pairwise(pieces):
        apart = (after.at - piece.at).total_seconds()
        begins = max(ends, after.fetched)
        longest = max(longest, begins - ends + max(0.0, apart - PIECE))
        ends = begins + min(apart, PIECE)
    decoder = Decoder()
    silence = max((longest_silence(decoder.add(piece)) for piece in pieces), default=0.0)
    return max(longest, until - ends, silence)


async def poll(far: HlsListener) -> None:
    """As a player: what fails is tried again."""
    while True:
        try:
            await asyncio.to_thread(far.poll)
        except OSError:
            far.failures += 1
        await asyncio.sleep(POLLS)


async def listen(site: str, slug: str, handle: str, number: int) -> None:
    from rooms.guests.hls_listener import HlsListener
    from rooms.guests.near_listener import NearListener
    from rooms.guests.peers import Clip
    from rooms.guests.talker import Talker
    from rooms.guests.visitor import Browser
    from tests.rooms.media.company import tone
    from tests.support.people import PASSWORD
    from tests.support.waiting import until

    speaker = Browser(site)
    await asyncio.to_thread(speaker.sign_in, handle, PASSWORD)
    nears = [NearListener(Browser(site), slug) for _place in range(number)]
    fars = [HlsListener(Browser(site), slug) for _place in range(number)]
    works = [Talker(speaker, slug, Clip(tone(), loop=True)).run(), *(near.run() for near in nears), *map(poll, fars)]
    tasks = [asyncio.create_task(work) for work in works]
    await until(lambda: all(near.ears.arrived for near in nears), WITHIN, what="sound near")
    await until(lambda: all(len(far.pieces) > 3 for far in fars), WITHIN, what="pieces by HLS")
    await asyncio.sleep(IN_HAND)
    print("ready", flush=True)
    while line := await asyncio.to_thread(sys.stdin.readline):
        begin, end = map(float, line.split())
        near_silent = max(near.ears.longest_gap(begin, end) for near in nears)
        hls_silent = max(silence_of(far, begin, end) for far in fars)
        print(json.dumps({"near": round(near_silent, 2), "hls": round(hls_silent, 2)}), flush=True)
        for near in nears:
            near.ears.parts.clear()
    for task in tasks:
        task.cancel()


def main() -> None:
    import django

    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    django.setup()
    site, slug, handle, number = sys.argv[1:]
    asyncio.run(listen(site, slug, handle, int(number)))


if __name__ == "__main__":
    main()
