"""The cost of delivering a live event, compared with a bare `websockets` broadcast, and a check that none is lost.

    python bench/live_events.py [--sockets 500] [--events 150] [--rate 10] [--rounds 3]

The same client holds the sockets of a `web` process of ours (with PostgreSQL and Redis of its own) and as many of a
bare `websockets` server. Another process closes and opens the host's microphone by the action itself, `--rate` times a
second: transaction, log, Redis, hub, sockets. The bare server is then sent the very same texts at the same pace and
broadcasts them. Latency is from the moment before the publish to the socket; processor time is the server process' own
with all its threads, its beats, counts and presence charged to the events. Rounds take turns.

Then one round over TLS that the web process does itself (`wss://`; behind nginx it has none).

At last the same again with damage: every tenth event is never published, and one socket in ten is cut off and comes
back after half a second. Every socket must end with every event since its last snapshot, in order, once.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import ssl
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from bench.wire import Socket, a_room, admitting, bare, cpu, load, many_files, rss, share, site
from deploy.local.certificate import certificate
from deploy.local.process import answers, start, stop, wait_for
from deploy.local.programs import command
from deploy.local.throwaway import Throwaway
from tests.support.ports import free_port
from tests.support.processes import Site

AT_ONCE = 50  # sockets that connect at a time; how a crowd comes in is bench/join.py
AWAY = 0.5  # seconds that a socket which was cut stays away
Told = list[tuple[float, str]]  # each event's text with the moment before its publish


@dataclass
class Round:
    """Results: microseconds of the server for a delivery, milliseconds to each delivery, number of deliveries
    expected."""

    cost: float
    waits: list[float]
    due: int

    def line(self, name: str) -> str:
        middle, late = share(self.waits, 0.5), share(self.waits, 0.99)
        return f"{name:<6}{self.cost:>8.1f} µs{middle:>10.1f} ms{late:>10.1f} ms{self.due - len(self.waits):>8}"


# --- the process that makes events --------------------------------------------------------------------------------


def drive(options: argparse.Namespace) -> None:
    """Print ready, wait for a line, then make the events at their pace and write each with its moment."""
    told: Told = []
    act = through_room(options, told) if options.drive == "ours" else through_socket(options, told)
    print("ready", flush=True)
    sys.stdin.readline()
    began = time.monotonic()
    for number in range(options.events):
        time.sleep(max(0.0, began + number / options.rate - time.monotonic()))
        act(number)
    Path(options.told).write_text(json.dumps(told))


def through_room(options: argparse.Namespace, told: Told) -> Callable[[int], None]:
    """Change the host's microphone by the action."""
    import django

    django.setup()
    from core import bus
    from rooms import actions, channels
    from rooms.models import Room, Seat

    room = Room.objects.select_related("host").get(pk=options.room)
    muted = Seat.objects.get(room=room, user=room.host, left_at=None).muted
    events, publish = channels.room_channel(room.pk), bus.publish

    def watched(channel: str, text: str) -> None:
        if channel != events:
            publish(channel, text)
            return
        told.append((time.monotonic(), text))
        if not options.withhold or len(told) % options.withhold:
            publish(channel, text)

    bus.publish = watched

    def act(number: int) -> None:
        actions.set_muted(room.pk, room.host, muted if number % 2 else not muted, room.host)

    return act


def through_socket(options: argparse.Namespace, told: Told) -> Callable[[int], None]:
    """Send the texts of an earlier round to the bare server."""
    from websockets.sync.client import connect

    texts = [text for _at, text in json.loads(Path(options.texts).read_text())]
    socket = connect(f"ws://127.0.0.1:{options.port}/source", compression=None, legacy=True)

    def act(number: int) -> None:
        told.append((time.monotonic(), texts[number]))
        socket.send(texts[number])

    return act


class Driver:
    """The process that makes events, seen from the bench."""

    def __init__(self, folder: Path, *words: str) -> None:
        self.told = folder / "told.json"
        self.words = words
        self.process: asyncio.subprocess.Process

    async def ready(self) -> None:
        self.process = await asyncio.create_subprocess_exec(
            sys.executable, __file__, *self.words, "--told", str(self.told), stdin=-1, stdout=-1, env=os.environ
        )
        assert self.process.stdout is not None
        if await self.process.stdout.readline() != b"ready\n":
            raise RuntimeError("the process that makes events did not start")

    async def run(self) -> Told:
        await self.process.communicate(b"go\n")
        if self.process.returncode:
            raise RuntimeError("the process that makes events failed")
        return [(at, text) for at, text in json.loads(self.told.read_text())]


# --- the sockets --------------------------------------------------------------------------------------------------


async def crowd(port: int, path: str, number: int, tls: ssl.SSLContext | None = None) -> list[Socket]:
    """Open sockets, and wait until each has its first message."""
    sockets = [Socket(port, path, tls=tls) for _each in range(number)]
    for first in range(0, number, AT_ONCE):
        batch = sockets[first : first + AT_ONCE]
        await asyncio.gather(*(socket.connect() for socket in batch))
        await asyncio.gather(*(socket.first for socket in batch))
    return sockets


async def settled(sockets: list[Socket], text: str) -> None:
    """Wait until all sockets have the last event, ten seconds at most."""
    wanted, until = text.encode(), time.monotonic() + 10
    while time.monotonic() < until:
        if all(any(got == wanted for _at, got in socket.messages[-20:]) for socket in sockets):
            return
        await asyncio.sleep(0.05)


async def one_round(sockets: list[Socket], pid: int, driver: Driver) -> Round:
    for socket in sockets:
        socket.messages.clear()
    await driver.ready()
    before = cpu(pid)
    told = await driver.run()
    await settled(sockets, told[-1][1])
    spent = cpu(pid) - before
    moment = {text.encode(): at for at, text in told}
    waits = [(at - moment[text]) * 1000 for socket in sockets for at, text in socket.messages if text in moment]
    return Round(spent / max(1, len(waits)) * 1e6, waits, len(sockets) * len(told))


async def damaged(sockets: list[Socket], driver: Driver, port: int, path: str) -> tuple[int, int, list[float]]:
    """Run one round with damage; return events lost, events twice or out of order, and seconds to recover."""
    await driver.ready()
    running = asyncio.create_task(driver.run())
    back: list[float] = []
    for place in range(0, len(sockets), 10):
        sockets[place].cut()
        await asyncio.sleep(AWAY / 10)
    await asyncio.sleep(AWAY)
    for place in range(0, len(sockets), 10):
        began = time.monotonic()
        sockets[place] = Socket(port, path)
        await sockets[place].connect()
        back.append(await sockets[place].first - began)
    told = await running
    await settled(sockets, told[-1][1])
    last = json.loads(told[-1][1])["seq"]
    lost = disordered = 0
    for socket in sockets:
        missing, wrong = gaps(socket.decoded(), last)
        lost, disordered = lost + missing, disordered + wrong
    return lost, disordered, back


def gaps(messages: list[tuple[float, dict[str, Any]]], last: int) -> tuple[int, int]:
    """Count events after the last snapshot that never came, and those out of order."""
    snapshots = [place for place, (_at, message) in enumerate(messages) if message["type"] == "snapshot"]
    begin = snapshots[-1] if snapshots else -1
    seqs = [message["seq"] for _at, message in messages[begin + 1 :] if "data" in message]
    since = messages[begin][1]["seq"] if snapshots else seqs[0] - 1
    return len(set(range(since + 1, last + 1)) - set(seqs)), len(seqs) - len(set(seqs)) + (seqs != sorted(seqs))


async def encrypted(options: argparse.Namespace, parts: Throwaway, path: str, act: Driver) -> None:
    """Print a round over TLS, on a web process of its own beside the other."""
    port = free_port()
    line = command("web", port, certificate=certificate(parts.folder, []))
    web = start(
        line, parts.folder / "tls.log", {**os.environ, "PORT": str(port), "SITE_URL": f"https://localhost:{port}"}
    )
    try:
        wait_for("web with TLS", lambda: answers(port), lambda: web.poll() is None)
        sockets = await crowd(port, path, options.sockets, ssl._create_unverified_context())
        print((await one_round(sockets, web.pid, act)).line("wss"), flush=True)
        for socket in sockets:
            socket.cut()
    finally:
        await asyncio.to_thread(stop, web)


async def measure(options: argparse.Namespace, web: Site, parts: Throwaway, pk: int, slug: str) -> None:
    path, port, other = f"/ws/rooms/{slug}/", parts.instance.block.web, parts.instance.block.manager
    pid, texts = web.running["web"].pid, parts.folder / "texts.json"
    pace = ["--events", str(options.events), "--rate", str(options.rate)]
    act = Driver(parts.folder, "--drive", "ours", "--room", str(pk), *pace)
    say = Driver(parts.folder, "--drive", "bare", "--port", str(other), "--texts", str(texts), *pace)
    costs, bares, ratios = [], [], []
    with bare(other, parts.folder) as bare_pid:
        mine, theirs = await crowd(port, path, options.sockets), await crowd(other, "/", options.sockets)
        print(f"{options.sockets} sockets each, {options.events} events a round, {options.rate} a second; {load()}")
        print(f"{'':<6}{'a delivery':>11}{'p50':>13}{'p99':>13}{'missing':>8}", flush=True)
        for _round in range(options.rounds):
            ours = await one_round(mine, pid, act)
            act.told.rename(texts)
            plain = await one_round(theirs, bare_pid, say)
            print(ours.line("ours"), plain.line("bare"), sep="\n", flush=True)
            costs.append(ours.cost)
            bares.append(plain.cost)
            ratios.append(ours.cost / plain.cost)
        print(f"ours {median(costs):.1f} µs / bare {median(bares):.1f} µs = {median(ratios):.2f} (medians)")
        print(f"memory: ours {rss(pid):.0f} MiB, bare {rss(bare_pid):.0f} MiB", flush=True)
        for socket in theirs:
            socket.cut()
        await encrypted(options, parts, path, act)
        act.words += ("--withhold", "10")
        lost, wrong, back = await damaged(mine, act, port, path)
        closed = {socket.closed for socket in mine if socket.closed}
        print(f"with damage: {lost} events lost, {wrong} out of turn or twice, closed by us: {closed or 'none'}")
        print(f"a socket that was cut has its snapshot after {share(back, 0.5) * 1000:.0f} ms (p50), {max(back):.2f} s")
        for socket in mine:
            socket.cut()
        await asyncio.sleep(1)
    print(load())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sockets", type=int, default=500)
    parser.add_argument("--events", type=int, default=150)
    parser.add_argument("--rate", type=float, default=10.0)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--drive", choices=["ours", "bare"], help=argparse.SUPPRESS)
    for hidden in ("room", "port", "withhold"):
        parser.add_argument(f"--{hidden}", type=int, default=0, help=argparse.SUPPRESS)
    for hidden in ("told", "texts"):
        parser.add_argument(f"--{hidden}", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.drive:
        drive(options)
        return
    many_files(2 * options.sockets)
    with site(limits=admitting(options.sockets)) as (web, parts):
        pk, slug = a_room()
        asyncio.run(measure(options, web, parts, pk, slug))


if __name__ == "__main__":
    main()
