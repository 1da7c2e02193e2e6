"""The cost of reactions, compared with the plain way, which passes each on to everybody.

    python bench/reactions.py [--listeners 1000] [--rate 200] [--seconds 5] [--rounds 2]

People on sockets of their own react, together `--rate` times a second, in a room with so many listeners; a bare
`websockets` server is then sent the same reactions at the same pace and broadcasts each. Counted are the messages that
a listener gets a second, and the processor time of the server for a second of it, with all that ours does besides:
answers, counts, beats, checks of rights. Where the plain server cannot keep the pace, it has its time until everybody
has everything.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from statistics import median

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from bench.live_events import crowd
from bench.wire import Socket, a_room, admitting, bare, cpu, load, many_files, site
from deploy.local.throwaway import Throwaway
from tests.support.processes import Site

EACH = 4  # reactions a second of one person; five are allowed
REACTION = b'"type":"reaction"'
TICK = b'"type":"reactions"'
LONGEST = 120.0  # seconds to wait until everybody has everything


@dataclass
class Round:
    """Processor seconds of the server, seconds it took, messages a listener got, reactions that arrived with them."""

    spent: float
    took: float
    messages: float
    arrived: int

    def line(self, name: str, seconds: float) -> str:
        return (
            f"{name:<6}{self.messages / seconds:>8.1f} messages a second each"
            f"{self.spent / seconds:>9.3f} s of processor a second{self.took:>8.1f} s{self.arrived:>8} reactions"
        )


def sessions(number: int) -> list[str]:
    """Cookies of people who are signed in."""
    from tests.support.people import person, session_cookie

    return [session_cookie(person(f"reacts{place}")) for place in range(number)]


def reactions_in(socket: Socket) -> int:
    """Reactions that a listener has heard of."""
    ticks = (json.loads(text) for _at, text in socket.messages if TICK in text)
    return sum(sum(tones.values()) for tick in ticks for tones in tick["counts"].values())


async def paced(number: int, rate: float, say: Callable[[int], None]) -> None:
    """Call `say(n)` so many times, `rate` a second."""
    began = time.monotonic()
    for place in range(number):
        await asyncio.sleep(max(0.0, began + place / rate - time.monotonic()))
        say(place)


async def ours(listeners: list[Socket], people: list[Socket], pid: int, options: argparse.Namespace) -> Round:
    for socket in (*listeners, *people):
        socket.messages.clear()
    number = int(options.rate * options.seconds)

    def say(place: int) -> None:
        people[place % len(people)].say(b'{"id":%d,"do":"react","kind":"clap","tone":%d}' % (place, place % 6))

    before, began = cpu(pid), time.monotonic()
    await paced(number, options.rate, say)
    while any(reactions_in(socket) < number for socket in listeners[:: max(1, len(listeners) // 20)]):
        if time.monotonic() - began > LONGEST:
            break
        await asyncio.sleep(0.2)
    took, spent = time.monotonic() - began, cpu(pid) - before
    ticks = sum(TICK in text for socket in listeners for _at, text in socket.messages) / len(listeners)
    return Round(spent, took, ticks, min(reactions_in(socket) for socket in listeners))


async def plain(listeners: list[Socket], source: Socket, pid: int, options: argparse.Namespace) -> Round:
    for socket in listeners:
        socket.messages.clear()
    number = int(options.rate * options.seconds)

    def say(place: int) -> None:
        source.say(b'{"type":"reaction","kind":"clap","tone":%d}' % (place % 6))

    before, began = cpu(pid), time.monotonic()
    await paced(number, options.rate, say)
    while any(len(socket.messages) < number for socket in listeners):
        if time.monotonic() - began > LONGEST:
            break
        await asyncio.sleep(0.2)
    took, spent = time.monotonic() - began, cpu(pid) - before
    heard = [sum(REACTION in text for _at, text in socket.messages) for socket in listeners]
    return Round(spent, took, sum(heard) / len(heard), min(heard))


async def measure(options: argparse.Namespace, web: Site, parts: Throwaway, slug: str, cookies: list[str]) -> None:
    path, port, other = f"/ws/rooms/{slug}/", parts.instance.block.web, parts.instance.block.manager
    pid, mine, theirs = web.running["web"].pid, [], []
    with bare(other, parts.folder) as bare_pid:
        listeners, also = await crowd(port, path, options.listeners), await crowd(other, "/", options.listeners)
        people = [Socket(port, path, cookie) for cookie in cookies]
        source = Socket(other, "/source")
        for socket in (*people, source):
            await socket.connect()
        for socket in people:
            await socket.first
        print(f"{options.listeners} listeners, {options.rate:g} reactions a second for {options.seconds:g} s; {load()}")
        for _round in range(options.rounds):
            mine.append(await ours(listeners, people, pid, options))
            print(mine[-1].line("ours", options.seconds), flush=True)
            theirs.append(await plain(also, source, bare_pid, options))
            print(theirs[-1].line("plain", options.seconds), flush=True)
        spent = median(one.spent / two.spent for one, two in zip(mine, theirs, strict=True))
        messages = median(one.messages / two.messages for one, two in zip(mine, theirs, strict=True))
        print(f"ours / plain: processor {spent:.3f}, messages {messages:.4f} (medians)")
        print(f"closed by us: {({socket.closed for socket in listeners if socket.closed}) or 'none'}; {load()}")
        for socket in (*listeners, *also, *people, source):
            socket.cut()
        await asyncio.sleep(1)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--listeners", type=int, default=1000)
    parser.add_argument("--rate", type=float, default=200.0)
    parser.add_argument("--seconds", type=float, default=5.0)
    parser.add_argument("--rounds", type=int, default=2)
    options = parser.parse_args()
    many_files(2 * options.listeners + 100)
    with site(limits=admitting(options.listeners)) as (web, parts):
        _pk, slug = a_room()
        cookies = sessions(max(1, -(-int(options.rate) // EACH)))
        asyncio.run(measure(options, web, parts, slug, cookies))


if __name__ == "__main__":
    main()
