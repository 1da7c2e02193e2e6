"""Live events, a host's acts and sound beside live captions that have all they can hear, and without them.

    python bench/beside_captions.py [--rounds 3] [--listeners 300] [--events 100] [--acts 8] [--seconds 15]
                                    [--language nl] [--talkers 2] [--priorities 0 5 10]

A site of ours (web, media, with PostgreSQL, Redis and Janus of its own). In one room people talk all the time, clip
after clip; in another one there are `--listeners`, half of them signed in, and a stage; in a third one somebody speaks
and is heard near and by HLS (bench/sounding.py). Each round measures three things without a captions process and with
one that hears who talks, every other round the other way around: `--events` events to all listeners
(bench/live_events.py), `--acts` of each kind that a host does (bench/host_act.py), and `--seconds` of sound. Dutch
costs captions the most.

Listeners read twenty times a second; what counts is when their system had an event (bench/wire.py). Real listeners have
devices of their own; here they would wait for captions, and interrupt the site each time that it sends.

`--priorities` tries other nice values of the captions process' session than it gives itself while it keeps up
(transcripts/captions/priority.py). Ratios are medians of each round's own.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import sys
import time
from pathlib import Path
from statistics import fmean, median
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from bench.captions import Programme, clips
from bench.consumer import crowd
from bench.host_act import Cast, Stage, cast_of, ours
from bench.join import leave, people
from bench.live_events import Driver, one_round
from bench.sounding import Sounding, sounding
from bench.wire import Socket, a_room, admitting, cpu, load, many_files, reading_now_and_then, share, site
from tests.support.processes import Site, by_hand

TALKS = 60.0  # seconds of what each says, again and again
# Seconds until captions of who talks already have made up for half a minute, and have given back the share for that.
WARM = 25.0
WITHOUT, SHIPPED = "without", "with"
Figures = dict[str, float]


class Beside:
    """Measurements beside captions: events, acts, sound."""

    def __init__(self, options: argparse.Namespace, pid: int, driver: Driver) -> None:
        self.options, self.pid, self.driver = options, pid, driver
        self.listeners: list[Socket]
        self.stage: Stage
        self.sound: Sounding

    async def figures(self) -> Figures:
        """Measure all three, one after the other; and how busy the machine is meanwhile, this bench with it."""
        began, idle = time.monotonic(), idle_seconds()
        async with reading_now_and_then(self.listeners):
            found = {**await self._events(), **await self._acts(), **await self._sounds()}
        cores = (time.monotonic() - began) * (os.cpu_count() or 1)
        return {**found, "all cores busy, %": 100 * (1 - (idle_seconds() - idle) / cores)}

    async def _events(self) -> Figures:
        found = await one_round(self.listeners, self.pid, self.driver)
        return {
            "an event, p50, ms": share(found.waits, 0.5),
            "an event, p99, ms": share(found.waits, 0.99),
            "an event, processor, µs": found.cost,
            "events that did not come": found.due - len(found.waits),
        }

    async def _acts(self) -> Figures:
        found = await ours(self.stage, self.listeners, self.pid, self.options)
        waits = [1000 * wait for kind in found.waits.values() for wait in kind]
        return {
            # Kinds take different times: the median of all would be the slowest of the quick ones, or the reverse.
            "an act, p50 of each kind, mean, ms": 1000 * fmean(share(kind, 0.5) for kind in found.waits.values()),
            "an act, p99, ms": share(waits, 0.99),
            "acts that did not come": found.missing,
        }

    async def _sounds(self) -> Figures:
        found = await self.sound.measure(self.options.seconds)
        return {
            "near, mouth to ear, p50, ms": 1000 * share(found.delays, 0.5),
            "near, mouth to ear, p95, ms": 1000 * share(found.delays, 0.95),
            "near, longest between two frames, ms": 1000 * max(found.gaps),
            "HLS, newest piece, p50, ms": 1000 * share(found.ages, 0.5),
            "HLS, newest piece, p95, ms": 1000 * share(found.ages, 0.95),
            "HLS, requests that failed": found.failed,
        }


def idle_seconds() -> float:
    """Return for how many seconds the cores of this machine had nothing to do, added up."""
    fields = Path("/proc/stat").read_text().split(maxsplit=6)
    return (int(fields[4]) + int(fields[5])) / os.sysconf("SC_CLK_TCK")


def status() -> dict[str, Any]:
    """Return what the captions process says of itself."""
    from core import bus
    from transcripts.captions.process import STATUS

    return dict(json.loads(bus.client().get(bus.key(STATUS)) or "{}"))


def session_of(pid: int) -> str:
    """Return the nice value of a process' session, in words."""
    return Path(f"/proc/{pid}/autogroup").read_text().strip().partition(" ")[2]


def set_priority(pid: int, nice: str) -> None:
    """Give the session of a process another nice value."""
    Path(f"/proc/{pid}/autogroup").write_text(nice)


async def with_captions(beside: Beside, web: Site, room_pk: int, way: str) -> tuple[Figures, str]:
    """Measure with a captions process at work; returns also how much of a core it took, and how it went."""
    from tests.support.waiting import until
    from transcripts.captions import state

    await by_hand(web.start, "captions")
    try:
        await until(lambda: state.room_state(room_pk)[0] != "off", 60, what="a process with a model has the room")
        await asyncio.sleep(WARM)
        pid, began = web.running["captions"].pid, time.monotonic()
        if way != SHIPPED:
            set_priority(pid, way)
        before = cpu(pid)
        found = await beside.figures()
        took, said = time.monotonic() - began, status()
        how = f"captions {(cpu(pid) - before) / took:.0%} of a core, step {said['step']}, {session_of(pid)} at last"
        return found, f"{way}: {how}"
    finally:
        await by_hand(web.stop, "captions")


async def measure(options: argparse.Namespace, web: Site, rooms: dict[str, Any], cast: Cast) -> None:
    from django.conf import settings

    from tests.support.captions import talking

    path, port = f"/ws/rooms/{rooms['slug']}/", settings.PORT
    pace = ["--events", str(options.events), "--rate", "10"]
    driver = Driver(web.logs.parent, "--drive", "ours", "--room", str(rooms["pk"]), *pace)
    beside = Beside(options, web.running["web"].pid, driver)
    rounds: list[dict[str, Figures]] = []
    async with (
        sounding(web.url, port, "beside") as beside.sound,
        talking(web, rooms["captioned"], rooms["sounds"], loop=True),
    ):
        beside.listeners = await crowd(port, path, rooms["cookies"])
        beside.stage = Stage(port, path, cast, options.pace)
        await beside.stage.come()
        await asyncio.sleep(2)
        print(f"{options.listeners} listeners, {options.talkers} talk ({options.language}); {load()}", flush=True)
        ways = [WITHOUT, *(options.priorities or [SHIPPED])]
        for number in range(options.rounds):
            rounds.append({})
            for way in ways if number % 2 == 0 else ways[::-1]:
                if way == WITHOUT:
                    rounds[-1][way], how = await beside.figures(), way
                else:
                    rounds[-1][way], how = await with_captions(beside, web, rooms["captioned"].pk, way)
                print(f"round {number + 1}, {how}; {load()}", flush=True)
                await asyncio.sleep(2)
        await leave(beside.listeners, 2)
    summary(rounds)


def summary(rounds: list[dict[str, Figures]]) -> None:
    """Print each round's figures without and with captions, and the median of their ratios."""
    for way in rounds[0]:
        if way == WITHOUT:
            continue
        print(f"{'':<40}{WITHOUT:>12}{way:>12}{'ratio':>8}   of each round")
        for name in rounds[0][way]:
            pairs = [(found[WITHOUT][name], found[way][name]) for found in rounds]
            ratios = [after / before for before, after in pairs if before]
            ratio = f"{median(ratios):8.2f}" if ratios else f"{'':8}"
            halves = "".join(f"{median(values):>12.1f}" for values in zip(*pairs, strict=True))
            print(f"{name:<40}{halves}{ratio}   {', '.join(f'{before:.4g} → {after:.4g}' for before, after in pairs)}")


def prepared(options: argparse.Namespace) -> tuple[dict[str, Any], Cast]:
    """Make the rooms, and the people in them."""
    from tests.support.people import person
    from tests.support.rooms import open_room

    pk, slug = a_room()
    captioned = open_room("talkative", language=options.language)
    found = clips("report", options.language)
    said = {}
    for number in range(options.talkers):
        person(f"talker{number}")
        said[f"talker{number}"] = Programme(number, found, [[] for _clip in found], TALKS).sound
    person("beside", creator=True)
    known = people(options.listeners // 2)
    cookies = known + [""] * (options.listeners - len(known))
    return {"pk": pk, "slug": slug, "captioned": captioned, "sounds": said, "cookies": cookies}, cast_of(slug)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--listeners", type=int, default=300)
    parser.add_argument("--events", type=int, default=100)
    parser.add_argument("--acts", type=int, default=8)
    parser.add_argument("--pace", type=float, default=0.5)
    parser.add_argument("--idle", type=float, default=3)
    parser.add_argument("--seconds", type=float, default=15.0)
    parser.add_argument("--language", default="nl", choices=["en", "nl"])
    parser.add_argument("--talkers", type=int, default=2)
    parser.add_argument("--priorities", nargs="*", default=[])
    options = parser.parse_args()
    many_files(options.listeners)
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"
    with site("media", limits={**admitting(options.listeners), "STATIC_FILES": "source"}) as (web, _parts):
        rooms, cast = prepared(options)
        asyncio.run(measure(options, web, rooms, cast))


if __name__ == "__main__":
    main()
