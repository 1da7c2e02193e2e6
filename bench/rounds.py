"""The cost of a round of the 5-second clock over live rooms with people in them, and its calls to Redis.

    python bench/rounds.py [--rooms 100] [--people 1,10,50] [--rounds 5]

A hub in this process, with PostgreSQL and Redis of its own, holds a socket of each person in each room: the host, and
listeners, every other one of whom is signed in and has a hand up. A round is what a web process does in it (renew
presence, count, beat, ask for all rights again) and the sweep of a worker's clock. Writing to sockets is left out:
`bench/live_events.py` measures that. The plain way does what `presence` and `beat` do, renews each connection and looks
each person up, by a call for each. Calls are commands that Redis ran, those within scripts too (`INFO commandstats`).
"""

from __future__ import annotations

import argparse
import asyncio
import sys
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from bench.wire import cpu, load, site

if TYPE_CHECKING:
    from tests.support.rounds import CrowdedHub

HEAD = f"{'':<10}{'calls a room':>14}{'statements':>12}{'wall':>12}{'processor':>12}{'of Redis':>12}"


@dataclass(frozen=True)
class Cost:
    """Commands of Redis, statements, and seconds: wall, processor of this process with all threads, that of Redis."""

    calls: float
    statements: float
    wall: float
    processor: float
    redis: float

    def line(self, name: str, rooms: int) -> str:
        times = "".join(f"{1000 * one:>9.1f} ms" for one in (self.wall, self.processor, self.redis))
        return f"{name:<10}{self.calls / rooms:>14.2f}{self.statements:>12.1f}{times}"


def sum_of(costs: list[Cost]) -> Cost:
    return Cost(*(sum(values) for values in zip(*map(_values, costs), strict=True)))


def median_of(costs: list[Cost]) -> Cost:
    return Cost(*(median(values) for values in zip(*map(_values, costs), strict=True)))


def _values(cost: Cost) -> tuple[float, ...]:
    return cost.calls, cost.statements, cost.wall, cost.processor, cost.redis


async def cost_of(work: Callable[[], Awaitable[Any]], redis_pid: int) -> Cost:
    from tests.support.rounds import redis_commands, statements

    before, of_redis = redis_commands(), cpu(redis_pid)
    with statements() as said:
        began, spent = time.monotonic(), time.process_time()
        await work()
        wall, processor = time.monotonic() - began, time.process_time() - spent
    of_redis = cpu(redis_pid) - of_redis
    return Cost((redis_commands() - before).total(), len(said), wall, processor, of_redis)


async def plain(crowd: CrowdedHub) -> None:
    """Renew the presence of each person, then find out of each whether they are here, by a call each."""
    from core import bus
    from rooms.presence import TTL

    for room_pk, members in (await crowd.hub.presence_members()).items():
        key = bus.key(f"plain:{room_pk}")
        for who, _conn in members:
            await crowd.hub.redis.zadd(key, {who: time.time() + TTL})
        for who, _conn in members:
            await crowd.hub.redis.zscore(key, who)
        await crowd.hub.redis.zcard(key)


async def measure(options: argparse.Namespace, rooms: list[Any], redis_pid: int) -> None:
    from tests.support.rounds import CrowdedHub

    crowd = CrowdedHub(rooms)
    totals: dict[int, tuple[Cost, Cost, Cost]] = {}
    for people in sorted(options.people):
        await asyncio.to_thread(crowd.fill, people)
        costs: dict[str, list[Cost]] = {name: [] for name in (*crowd.parts(), "plain")}
        for number in range(options.rounds + 1):
            for name, work in (*crowd.parts().items(), ("plain", lambda: plain(crowd))):
                cost = await cost_of(work, redis_pid)
                if number:  # in the first one people come
                    costs[name].append(cost)
            crowd.read()
        assert not crowd.refused, crowd.refused
        parts = {name: median_of(each) for name, each in costs.items()}
        whole = sum_of([cost for name, cost in parts.items() if name != "plain"])
        totals[people] = whole, sum_of([parts["presence"], parts["beat"]]), parts["plain"]
        print(f"\n{len(rooms)} rooms with {people} people each, medians of {options.rounds} rounds; {load()}\n{HEAD}")
        for name, cost in {**parts, "round": totals[people][0]}.items():
            print(cost.line(name, len(rooms)), flush=True)
    print("\npeople a room   calls a room, a round: ours   plain   presence and beat / plain: wall   processor")
    for people, (whole, ours, theirs) in totals.items():
        print(
            f"{people:>13}{whole.calls / len(rooms):>30.2f}{theirs.calls / len(rooms):>8.1f}"
            f"{ours.wall / theirs.wall:>33.3f}{ours.processor / theirs.processor:>12.3f}"
        )
    await crowd.hub.redis.aclose()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rooms", type=int, default=100)
    parser.add_argument("--people", type=lambda text: [int(number) for number in text.split(",")], default=[1, 10, 50])
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    with site() as (web, parts):
        web.stop("web")
        from tests.support.rooms import open_room

        rooms = [open_room(f"host{number}") for number in range(options.rooms)]
        asyncio.run(measure(options, rooms, parts.running["redis"].pid))
        print(load())


if __name__ == "__main__":
    main()
