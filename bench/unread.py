"""Milliseconds until a thousand open pages show that there is a message, compared with a bare `websockets` broadcast.

    python bench/unread.py [--pages 1000] [--rounds 3]

Each page is another person's, with its socket of `/ws/me/` on a `web` process of ours (with PostgreSQL and Redis of its
own). A round delivers one official message to all of them as the tasks do, 200 in a transaction: rows, blocks, counts,
Redis, hub, sockets. The bare server is then sent one such text and broadcasts it to as many sockets. Latency is from
the moment before the delivery (the send) to the socket; processor time is the server process' own. Rounds take turns.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from statistics import median

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from bench.wire import Socket, admitting, bare, cpu, load, many_files, rss, share, site
from deploy.local.throwaway import Throwaway
from tests.support.processes import Site

AT_ONCE = 50  # sockets that connect at a time
WITHIN = 30.0  # seconds; a page without the number by then has missed it


@dataclass
class Round:
    """Results of one round: milliseconds to each page, microseconds of the server for each, pages that missed it."""

    waits: list[float]
    cost: float
    missed: int

    def line(self, name: str) -> str:
        middle, late, last = share(self.waits, 0.5), share(self.waits, 0.99), max(self.waits)
        return f"{name:<6}{self.cost:>8.1f} µs{middle:>10.1f} ms{late:>10.1f} ms{last:>10.1f} ms{self.missed:>8}"


def make_people(number: int) -> tuple[list[int], list[str]]:
    """Make accounts with a session each; return their keys and cookies."""
    from tests.support.people import people, session_cookie

    made = people(number)
    return [user.pk for user in made], [session_cookie(user) for user in made]


def send(users: list[int]) -> list[int]:
    """Write an official message to each, as an action does; return their keys. Nothing is delivered yet."""
    from django.db import transaction

    from people.models import User
    from social.actions.messages import send_official
    from social.hooks import DrawnMessage, official_texts

    if official_texts.get("bench") is None:
        official_texts.register("bench")(lambda values, reader: [DrawnMessage(text="News")] * len(values))
    with transaction.atomic():
        return [message.pk for message in send_official(list(User.objects.filter(pk__in=users)), "bench", {})]


def deliver(pks: list[int]) -> None:
    from social.actions.messages import BATCH, deliver_messages

    for start in range(0, len(pks), BATCH):
        deliver_messages(pks[start : start + BATCH])


async def crowd(port: int, path: str, cookies: list[str]) -> list[Socket]:
    """Open sockets, and wait until each has its first message."""
    sockets = [Socket(port, path, cookie) for cookie in cookies]
    for first in range(0, len(sockets), AT_ONCE):
        batch = sockets[first : first + AT_ONCE]
        await asyncio.gather(*(socket.connect() for socket in batch))
        await asyncio.gather(*(socket.first for socket in batch))
    return sockets


async def heard(sockets: list[Socket], began: float, pid: int, before: float) -> Round:
    """Wait until every socket has a message since its last were cleared."""
    until = time.monotonic() + WITHIN
    while time.monotonic() < until:
        await asyncio.sleep(0.01)
        if all(socket.messages for socket in sockets):
            break
    waits = [(socket.messages[-1][0] - began) * 1000 for socket in sockets if socket.messages]
    spent = (cpu(pid) - before) / max(1, len(waits)) * 1e6
    return Round(waits or [WITHIN * 1000], spent, len(sockets) - len(waits))


def clear(sockets: list[Socket]) -> None:
    for socket in sockets:
        socket.messages.clear()


async def measure(options: argparse.Namespace, web: Site, parts: Throwaway) -> None:
    port, other = parts.instance.block.web, parts.instance.block.manager
    pid = web.running["web"].pid
    users, cookies = await asyncio.to_thread(make_people, options.pages)
    with bare(other, parts.folder, '{"type":"unread","messages":0,"at":1}') as bare_pid:
        mine, theirs = await crowd(port, "/ws/me/", cookies), await crowd(other, "/", [""] * options.pages)
        source = Socket(other, "/source")
        await source.connect()
        print(f"{options.pages} pages each; {load()}")
        print(f"{'':<6}{'a page':>11}{'p50':>13}{'p99':>13}{'last':>13}{'missing':>8}", flush=True)
        ours, plain = [], []
        for _round in range(options.rounds):
            pks = await asyncio.to_thread(send, users)
            clear(mine)
            before, began = cpu(pid), time.monotonic()
            delivery = asyncio.create_task(asyncio.to_thread(deliver, pks))
            ours.append(await heard(mine, began, pid, before))
            await delivery
            clear(theirs)
            before, began = cpu(bare_pid), time.monotonic()
            source.say(b'{"type":"unread","messages":1,"at":1764184000000000}')
            plain.append(await heard(theirs, began, bare_pid, before))
            print(ours[-1].line("ours"), plain[-1].line("bare"), sep="\n", flush=True)
        for name, part in (("p50", 0.5), ("p99", 0.99)):
            own, bares = (median(share(one.waits, part) for one in rounds) for rounds in (ours, plain))
            print(f"{name}: ours {own:.1f} ms / bare {bares:.1f} ms = {own / bares:.1f} (medians)")
        own, bares = (median(one.cost for one in rounds) for rounds in (ours, plain))
        print(f"a page: ours {own:.1f} µs / bare {bares:.1f} µs (medians); memory of ours {rss(pid):.0f} MiB")
        for socket in (*mine, *theirs, source):
            socket.cut()
        await asyncio.sleep(1)
    print(load())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pages", type=int, default=1000)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    many_files(3 * options.pages)
    with site(limits=admitting(options.pages)) as (web, parts):
        asyncio.run(measure(options, web, parts))


if __name__ == "__main__":
    main()
