"""The cost of a listener, and of an event to all of them, compared with Channels' own consumers and groups.

    python bench/consumer.py [--sockets 500] [--events 30] [--rate 1] [--rounds 3] [--redis]

Each round starts a server anew for the product's socket and one for `bench/textbook.py`: an
`AsyncJsonWebsocketConsumer` in a group of Channels' InMemoryChannelLayer. That layer has no hop over Redis and reaches
one process only, which flatters it; it also looks through all its channels at each message, which does not. `--redis`
measures channels_redis' layer too, which has to be installed for that (`pip install channels_redis`; the product does
not need it). All run on the product's Daphne, PostgreSQL and Redis.

Sockets open 50 at a time, half of them signed in (a crowd that comes at once is `bench/join.py`). Told are the memory
that each adds to the server (KiB of RSS), the seconds until all have a snapshot, processor time of the server for a
join, milliseconds from an event's publish to each socket, and processor time of the server for one event to all. An
event of ours is the host's microphone, by the action and over Redis; the others are sent the very same texts at the
same pace, into `group_send`. What the server does besides (beats, presence) is charged to the events. The pace is slow
enough for consumers to keep up.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import astuple, dataclass, fields
from importlib.util import find_spec
from pathlib import Path
from statistics import median

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from bench.join import leave, people
from bench.live_events import AT_ONCE, Driver, one_round
from bench.wire import Socket, a_room, admitting, cpu, load, many_files, rss, share, site
from deploy.local.process import answers, start, stop, wait_for
from deploy.local.programs import command
from deploy.local.throwaway import Throwaway
from tests.support.processes import Site

WARM = 20  # sockets that come and go before anything is measured
OURS = "ours"


@dataclass
class Figures:
    """Results of one round of one server."""

    memory: float  # KiB a connection
    joined: float  # seconds until all have a snapshot
    join_cost: float  # ms of processor time for a join
    half: float  # ms from publish to socket, p50
    late: float  # the same, p99
    event_cost: float  # ms of processor time for one event to all
    missing: int  # deliveries that did not happen
    closed: dict[str, int]  # sockets that the server closed, by what it said

    def line(self, name: str) -> str:
        """Return the results as a row of the table."""
        return (
            f"{name:<8}{self.memory:>10.0f} KiB{self.joined:>9.2f} s{self.join_cost:>9.2f} ms{self.half:>9.1f} ms"
            f"{self.late:>9.1f} ms{self.event_cost:>9.1f} ms{self.missing:>9}  {self.closed or 'none'}"
        )


def heading() -> str:
    """Return the table's header, as wide as `Figures.line`."""
    names = f"{'memory each':>14}{'all joined':>11}{'a join':>12}{'p50':>12}{'p99':>12}{'an event':>12}{'missing':>9}"
    return f"{'':<8}{names}  closed"


@contextmanager
def ours(web: Site) -> Iterator[int]:
    """Start the product's web process; yield its process id."""
    web.start("web")
    try:
        yield web.running["web"].pid
    finally:
        web.stop("web")


@contextmanager
def textbook(layer: str, port: int, log: Path) -> Iterator[int]:
    """Start `bench/textbook.py` on the same server with the same command line; yield its process id."""
    line = [*command("web", port)[:-1], "bench.textbook:application"]
    process = start(line, log, {**os.environ, "BENCH_LAYER": layer})
    try:
        wait_for("the consumers", lambda: answers(port), lambda: process.poll() is None)
        yield process.pid
    finally:
        stop(process)
        errors = [line for line in log.read_text(errors="replace").splitlines() if "Error" in line]
        if errors:
            print(f"{len(errors)} errors in the log of {layer} so far, the last: {errors[-1]}", flush=True)


async def crowd(port: int, path: str, cookies: list[str]) -> list[Socket]:
    """Open a socket for each cookie, some at a time, and wait until all have a snapshot. Raises ConnectionError."""
    sockets = [Socket(port, path, cookie) for cookie in cookies]
    for first in range(0, len(sockets), AT_ONCE):
        batch = sockets[first : first + AT_ONCE]
        await asyncio.gather(*(socket.connect() for socket in batch))
        await asyncio.gather(*(socket.first for socket in batch))
    return sockets


async def figures(pid: int, port: int, path: str, cookies: list[str], driver: Driver) -> Figures:
    """Measure one round: a crowd connects, gets the driver's events, and disconnects."""
    await leave(await crowd(port, path, cookies[:WARM]), 2)
    memory, spent, began = rss(pid), cpu(pid), time.monotonic()
    sockets = await crowd(port, path, cookies)
    joined, spent = time.monotonic() - began, cpu(pid) - spent
    await asyncio.sleep(2)
    memory = rss(pid) - memory
    heard = await one_round(sockets, pid, driver)
    closed = Counter(socket.closed for socket in sockets if socket.closed)
    await leave(sockets, 2)
    return Figures(
        memory=memory / len(sockets) * 1024,
        joined=joined,
        join_cost=spent / len(sockets) * 1000,
        half=share(heard.waits, 0.5),
        late=share(heard.waits, 0.99),
        event_cost=heard.cost / 1000 * len(heard.waits) / (heard.due / len(sockets)),
        missing=heard.due - len(heard.waits),
        closed=dict(closed),
    )


def measure(options: argparse.Namespace, web: Site, parts: Throwaway) -> dict[str, list[Figures]]:
    """Run all rounds, the servers in turns."""
    pk, slug = a_room()
    known = people(options.sockets // 2)
    cookies = [cookie for each in known for cookie in (each, "")]
    cookies += [""] * (options.sockets - len(cookies))
    path, texts, other = f"/ws/rooms/{slug}/", parts.folder / "texts.json", parts.instance.block.manager
    pace = ["--events", str(options.events), "--rate", str(options.rate)]
    act = Driver(parts.folder, "--drive", "ours", "--room", str(pk), *pace)
    say = Driver(parts.folder, "--drive", "bare", "--port", str(other), "--texts", str(texts), *pace)
    all_figures: dict[str, list[Figures]] = {name: [] for name in (OURS, *options.layers)}

    def one(name: str, pid: int, port: int, driver: Driver) -> None:
        result = asyncio.run(figures(pid, port, path, cookies, driver))
        all_figures[name].append(result)
        print(result.line(name), flush=True)

    print(f"{options.sockets} sockets, {options.events} events a round, {options.rate:g} a second; {load()}")
    print(heading(), flush=True)
    for _round in range(options.rounds):
        with ours(web) as pid:
            one(OURS, pid, parts.instance.block.web, act)
        act.told.rename(texts)
        for layer in options.layers:
            with textbook(layer, other, parts.folder / f"{layer}.log") as pid:
                one(layer, pid, other, say)
    return all_figures


def ratios(mine: list[Figures], theirs: list[Figures]) -> str:
    """Return theirs divided by ours for each figure except counts, medians of all rounds."""
    names = [field.name for field in fields(Figures)][:-2]
    pairs = [(astuple(one), astuple(other)) for one, other in zip(mine, theirs, strict=True)]
    medians = [median(other[place] / one[place] for one, other in pairs) for place in range(len(names))]
    return "  ".join(f"{name} {value:.2f}" for name, value in zip(names, medians, strict=True))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sockets", type=int, default=500)
    parser.add_argument("--events", type=int, default=30)
    parser.add_argument("--rate", type=float, default=1.0)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--redis", action="store_true", help="channels_redis' layer as well")
    options = parser.parse_args()
    options.layers = ["memory", "redis"] if options.redis else ["memory"]
    if options.redis and find_spec("channels_redis") is None:
        parser.error("--redis needs channels_redis, which the product does not: pip install channels_redis")
    many_files(options.sockets)
    with site(limits=admitting(options.sockets)) as (web, parts):
        web.stop("web")
        all_figures = measure(options, web, parts)
    for layer in options.layers:
        print(f"{layer} / ours: {ratios(all_figures[OURS], all_figures[layer])}")
    print(load())


if __name__ == "__main__":
    main()
