"""Seconds until all pages of a room are back after one of two web processes behind nginx is killed, or told to end.

    python bench/returns.py [--sockets 1000] [--rounds 3] [--listeners 2]

Two web processes of ours stand behind the nginx configuration that we ship, and `--sockets` pages of one room are open
on each, by TLS. In each round one process gets kill -9, twice: once the pages come back as they do, at a random moment
within the `retry_within` of their last snapshot, once in the plain way, at once and then with growing pauses (200 ms
doubled for each try, at random). Then one gets SIGTERM. An event is said in the room while they are away: everybody
must have it in the end, from the log or in the snapshot.

Beside them `--listeners` listen by WebRTC and as many by HLS, through the same nginx, in a process of their own
(`bench/listeners.py`): the longest time is printed in which one of them hears nothing, from the end of the process
until everybody is back. A short run: `--sockets 20 --rounds 1 --listeners 1`; without sound: `--listeners 0`.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import random
import signal
import ssl
import sys
import time
from collections import Counter
from contextlib import ExitStack, suppress
from pathlib import Path
from statistics import median

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from bench.listeners import Listeners, listening
from bench.wire import Socket, a_room, admitting, load, many_files, share, site
from tests.support.two_webs import BEHIND, Webs, front

WITHIN = 60.0  # seconds until everybody must be back
SOURCE = {"STATIC_FILES": "source"}  # for the page by which the speaker signs in
PLAIN_FIRST, PLAIN_LONGEST = 0.4, 5.0  # seconds


class Returning:
    """A page: a socket, and another one whenever the first is lost."""

    def __init__(self, port: int, path: str, tls: ssl.SSLContext) -> None:
        self.port, self.path, self.tls = port, path, tls
        self.plain = False
        self.socket: Socket
        self.back_at = 0.0  # when the last snapshot came
        self.lost_at = 0.0
        self.tries = 0
        self.seq = 0  # of the last snapshot or event
        self.gaps = 0
        self.ready = asyncio.Event()

    async def run(self) -> None:
        within = PLAIN_FIRST
        while True:
            self.socket = Socket(self.port, self.path, tls=self.tls)
            with suppress(OSError):  # refused, or lost on the way: the next try
                await self.socket.connect()
                await self.socket.first
                self._start()
                await self.socket.lost
            self.ready.clear()
            within = self._take() or within
            self.lost_at = self.lost_at if self.tries else time.monotonic()
            self.tries += 1
            growing = min(PLAIN_LONGEST, 0.2 * 2**self.tries)
            await asyncio.sleep(random.random() * (growing if self.plain or self.tries > 1 else within))

    def _start(self) -> None:
        for _at, message in self.socket.decoded():
            if message.get("type") == "snapshot":
                self.tries, self.back_at, self.seq = 0, time.monotonic(), message["seq"]
                self.ready.set()

    def _take(self) -> float | None:
        """Follow the events of the socket: each must be the next. Returns within how many seconds to come back."""
        within = None
        for _at, message in self.socket.decoded():
            within = message.get("retry_within", within)
            if "seq" in message and "data" in message:
                self.gaps += message["seq"] != self.seq + 1
                self.seq = message["seq"]
        return within


async def all_back(pages: list[Returning]) -> None:
    """Wait until every page has a snapshot. Exits where one has none in time, saying why."""
    try:
        async with asyncio.timeout(WITHIN):
            for page in pages:
                await page.ready.wait()
    except TimeoutError:
        away = Counter(page.socket.closed or "still waiting" for page in pages if not page.ready.is_set())
        sys.exit(f"not back: {dict(away)}; tries {max(page.tries for page in pages)}")


async def lost_and_back(pages: list[Returning], webs: Webs, sign: int, pk: int, *, plain: bool) -> list[float]:
    """End a process and wait until everybody is back; return the seconds of those who were lost, since their loss."""
    for page in pages:
        page.plain = plain
    began = time.monotonic()
    webs.end(0, sign)
    await asyncio.sleep(0.3)
    await asyncio.to_thread(say, pk)
    await asyncio.to_thread(webs.running[0].wait)
    await all_back(pages)
    back = [
        page.back_at - (began if sign == signal.SIGKILL else page.lost_at) for page in pages if page.lost_at > began
    ]
    await asyncio.to_thread(say, pk)
    await asyncio.sleep(1.5)
    seqs = set()
    for page in pages:
        last = [m["seq"] for _at, m in page.socket.decoded() if m.get("type") == "snapshot" or "data" in m]
        seqs.add(last[-1])
    assert len(seqs) == 1, f"not everybody heard the last event: {seqs}"
    assert not sum(page.gaps for page in pages), "an event was lost on the way"
    return back


def say(pk: int) -> None:
    """Say something in the room: the host's microphone is opened, or closed."""
    from rooms import actions
    from rooms.models import Room, Seat

    host = Room.objects.select_related("host").get(pk=pk).host
    muted = Seat.objects.get(room=pk, user=host, left_at=None).muted
    actions.set_muted(pk, host, not muted, host)


async def measure(
    options: argparse.Namespace, webs: Webs, port: int, tls: ssl.SSLContext, pk: int, slug: str, ears: Listeners | None
) -> None:
    pages = [Returning(port, f"/ws/rooms/{slug}/", tls) for _number in range(2 * options.sockets)]
    tasks = []
    for page in pages:
        tasks.append(asyncio.create_task(page.run()))
        await asyncio.sleep(0.004)
    await all_back(pages)
    print(f"{len(pages)} pages on two processes; {load()}")
    kinds = (
        ("kill -9", signal.SIGKILL, False),
        ("plain way", signal.SIGKILL, True),
        ("SIGTERM", signal.SIGTERM, False),
    )
    worst: dict[str, list[float]] = {}
    silent: dict[str, list[float]] = {}
    for _round in range(options.rounds):
        for name, sign, plain in kinds:
            since = time.time()
            back = await lost_and_back(pages, webs, sign, pk, plain=plain)
            worst.setdefault(name, []).append(max(back))
            half, most, last = share(back, 0.5), share(back, 0.99), max(back)
            spread = f"half back {half:5.2f} s, 99 % {most:5.2f} s, all {last:5.2f} s"
            heard = await asyncio.to_thread(ears.silent, since) if ears else {}
            for kind, seconds in heard.items():
                silent.setdefault(f"{name:<10} {kind}", []).append(seconds)
            print(f"{name:<10}{len(back):>6} lost, {spread}; silent at most {heard or '-'}; {load()}", flush=True)
            await asyncio.to_thread(webs.again, 0)
            await even_out(pages)
    for name, each in worst.items():
        print(f"{name:<10} all back, median and worst: {median(each):.2f} s, {max(each):.2f} s")
    for name, each in silent.items():
        print(f"{name} silent at most, median and worst: {median(each):.2f} s, {max(each):.2f} s")
    print(f"ours / plain {median(worst['kill -9']) / median(worst['plain way']):.2f}; no event was lost")
    for task in tasks:
        task.cancel()


async def even_out(pages: list[Returning]) -> None:
    """Have all pages connect again, so that both processes have as many."""
    for page in pages:
        page.plain = False
        page.socket.cut()
        await asyncio.sleep(0.004)
    await asyncio.sleep(5)
    await all_back(pages)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sockets", type=int, default=1000, help="of each process")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--listeners", type=int, default=2, help="by WebRTC, and as many by HLS; 0 for no sound")
    options = parser.parse_args()
    many_files(5 * options.sockets)
    sound = ("media",) if options.listeners else ()
    with site(*sound, limits=admitting(2 * options.sockets) | BEHIND | SOURCE) as (web, parts):
        from django.conf import settings

        block = parts.instance.block
        port, ports = block.manager, (block.web, block.first + 10)
        os.environ["SITE_URL"] = settings.SITE_URL = f"https://localhost:{port}"
        pk, slug = a_room()
        web.stop("web")
        webs = Webs(web, ports)
        with ExitStack() as stack:
            stack.callback(webs.stop)
            for place in range(2):
                webs.start(place)
            tls = stack.enter_context(front(parts.folder, port, ports))
            ears = None
            if options.listeners:
                log = parts.folder / "listeners.log"
                company = listening(settings.SITE_URL, slug, "guest0", options.listeners, log)
                ears = stack.enter_context(company)
            asyncio.run(measure(options, webs, port, tls, pk, slug, ears))


if __name__ == "__main__":
    main()
