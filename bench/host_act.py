"""Time from a host's act to its effect on a thousand listeners, and what a delivery costs.

    python bench/host_act.py [--listeners 1000] [--acts 20] [--rounds 3] [--pace 0.5] [--idle 10]

A room on a `web` process of ours (with PostgreSQL and Redis of its own) has listeners, half of them signed in, a
speaker and somebody who asks to speak. Its host says verbs on a WebSocket, as the page does, each kind `--acts` times a
round, one every `--pace` seconds: `mute` (effect: `seat_muted`), `set_speak_policy` (`speak_policy_set`) and `let_up`
(`seat_taken`). Time runs from the moment before the verb's frame is written until each listener's system
has the event: limit, rights, transaction, log, Redis, hub, socket.

The plain way is a bare `websockets` server with as many sockets: a client sends it all texts that a listener got,
events, counts and beats alike, at the same pace, and it broadcasts them. Rounds take turns. Processor time is the
server process' own with all its threads; the database is not in it. It is divided in two ways. "A delivery" is all of
it by all messages that listeners got: verbs, presence, and the check of everybody's rights every five seconds are
charged to them. "An act" is what the same sockets cost more than in `--idle` seconds before, in which nobody does
anything, by the events that listeners got: what a host's act costs for each of them. The bare server has nothing but
messages: both are compared with what one costs there.

All sockets are held by this one process, a few microseconds for each message (`bench/wire.py`), on the same
cores as the servers. At last all listeners are cut off at once.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from statistics import median

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from bench.consumer import crowd
from bench.join import leave, people
from bench.wire import Socket, a_room, admitting, bare, cpu, load, many_files, share, site
from deploy.local.throwaway import Throwaway
from tests.support.processes import Site

EFFECTS = {"mute": "seat_muted", "set_speak_policy": "speak_policy_set", "let_up": "seat_taken"}
WITHIN = 20.0  # seconds until an answer or a delivery counts as lost
LOST = "could not say that a socket closed"  # in the log of web


@dataclass
class Sent:
    """A text that listeners got and when it was sent; an act has a kind, and the moment of its verb."""

    kind: str
    at: float
    text: bytes = b""


@dataclass
class Round:
    """Results of one round: what was sent, seconds to each listener by kind, microseconds of the server for a
    delivery, and for an event to a listener beyond what they cost idle."""

    sent: list[Sent]
    waits: dict[str, list[float]] = field(default_factory=dict)
    cost: float = 0.0
    act_cost: float = 0.0
    missing: int = 0

    def line(self, name: str) -> str:
        times = [
            f"{share(waits, 0.5) * 1000:>9.1f} ms{share(waits, 0.99) * 1000:>9.1f} ms" for waits in self.waits.values()
        ]
        act = f"{self.act_cost:>8.1f} µs" if self.act_cost else f"{'':>11}"
        return f"{name:<6}{self.cost:>8.1f} µs{act}{''.join(times)}{self.missing:>9}"


class Person:
    """Somebody who says verbs on a socket, one at a time."""

    def __init__(self, port: int, path: str, cookie: str) -> None:
        self.socket = Socket(port, path, cookie)
        self.numbers = count(1)

    async def come(self) -> Person:
        await self.socket.connect()
        await self.socket.first
        return self

    async def ask(self, verb: str, **values: str) -> float:
        """Say a verb and wait until it is done; returns the moment before. Raises RuntimeError for a refusal."""
        number, seen = next(self.numbers), len(self.socket.messages)
        frame = json.dumps({"id": number, "do": verb, **values}).encode()
        began = time.monotonic()
        self.socket.say(frame)
        while time.monotonic() < began + WITHIN:
            for _at, text in self.socket.messages[seen:]:
                seen += 1
                if text.startswith(b'{"re":') and (answer := json.loads(text))["re"] == number:
                    if "error" in answer:
                        raise RuntimeError(f"{verb}: {answer['error']}")
                    return began
            await asyncio.sleep(0.002)
        raise RuntimeError(f"{verb} was not answered, {self.socket.closed or 'and the socket is open'}")


@dataclass
class Cast:
    """Cookies and handles of those who do something in the room."""

    host: str
    speaker: tuple[str, str]
    asker: tuple[str, str]


def cast_of(slug: str) -> Cast:
    """Give the host, a speaker and somebody in the audience their sessions; who asks has consented."""
    from rooms.models import Room, Seat
    from tests.support.people import person, session_cookie
    from tests.support.rooms import consented

    room = Room.objects.select_related("host").get(slug=slug)
    speaker = Seat.objects.filter(room=room, role="speaker").select_related("user")[0].user
    asker = consented(person("asker"), room)
    return Cast(session_cookie(room.host), *((user.handle, session_cookie(user)) for user in (speaker, asker)))


class Stage:
    """The people of the room's stage, and what they do in turn."""

    def __init__(self, port: int, path: str, cast: Cast, pace: float) -> None:
        self.cast, self.pace = cast, pace
        cookies = (cast.host, cast.speaker[1], cast.asker[1])
        self.host, self.speaker, self.asker = (Person(port, path, cookie) for cookie in cookies)
        self.policies = self._policies()

    def _policies(self) -> Iterator[str]:
        while True:
            yield from ("invited", "followed")

    async def come(self) -> None:
        for person in (self.host, self.speaker, self.asker):
            await person.come()
        await self.host.ask("set_speak_policy", policy="followed")

    async def act(self, kind: str) -> Sent:
        """Prepare one act and do it."""
        if kind == "mute":
            await self.speaker.ask("unmute")
            values = {"user": self.cast.speaker[0]}
        elif kind == "let_up":
            await self.asker.ask("raise_hand")
            values = {"user": self.cast.asker[0]}
        else:
            values = {"policy": next(self.policies)}
        await asyncio.sleep(self.pace / 2)  # what prepared it has reached everybody
        at = await self.host.ask(kind, **values)
        await asyncio.sleep(self.pace / 2)
        if kind == "let_up":
            await self.asker.ask("leave_seat")
        return Sent(kind, at)


async def idle_cost(pid: int, seconds: float) -> float:
    """Processor seconds that a second takes while nobody does anything."""
    before, began = cpu(pid), time.monotonic()
    await asyncio.sleep(seconds)
    return (cpu(pid) - before) / (time.monotonic() - began)


async def ours(stage: Stage, listeners: list[Socket], pid: int, options: argparse.Namespace) -> Round:
    """Run one round of acts on our server."""
    idle = await idle_cost(pid, options.idle)
    for socket in listeners:
        socket.messages.clear()
    before, began, acts = cpu(pid), time.monotonic(), options.acts
    sent = [await stage.act(kind) for _number in range(acts) for kind in EFFECTS]
    await asyncio.sleep(1)
    spent, took = cpu(pid) - before, time.monotonic() - began
    events = listeners[1].messages  # of somebody who is signed out: what everybody got
    for one in sent:
        effect = f'"type":"{EFFECTS[one.kind]}"'.encode()
        one.text = next((text for at, text in events if at > one.at and effect in text), b"")
    told = {one.text: one for one in sent}
    others = [Sent("", at, text) for at, text in events if text not in told]
    result = results(listeners, sorted([*sent, *others], key=lambda one: one.at), spent)
    delivered = sum(text.startswith(b'{"seq"') for socket in listeners for _at, text in socket.messages)
    result.act_cost = max(0.0, spent - idle * took) / max(1, delivered) * 1e6
    return result


async def plain(source: Socket, listeners: list[Socket], pid: int, like: Round) -> Round:
    """Send the texts of our round to the bare server, at their pace."""
    for socket in listeners:
        socket.messages.clear()
    before, began, first = cpu(pid), time.monotonic(), like.sent[0].at
    sent: list[Sent] = []
    for one in like.sent:
        await asyncio.sleep(max(0.0, one.at - first - (time.monotonic() - began)))
        sent.append(Sent(one.kind, time.monotonic(), one.text))
        source.say(one.text)
    await asyncio.sleep(1)
    return results(listeners, sent, cpu(pid) - before)


def results(listeners: list[Socket], sent: list[Sent], spent: float) -> Round:
    """Look up when each listener got each text."""
    result = Round(sent, {kind: [] for kind in EFFECTS})
    acts = [one for one in sent if one.kind]
    for socket in listeners:
        arrived = {text: at for at, text in socket.messages}
        for one in acts:
            if one.text in arrived:
                result.waits[one.kind].append(arrived[one.text] - one.at)
            else:
                result.missing += 1
    result.cost = spent / max(1, sum(len(socket.messages) for socket in listeners)) * 1e6
    return result


async def measure(options: argparse.Namespace, web: Site, parts: Throwaway, slug: str, known: list[str]) -> None:
    path, port, other = f"/ws/rooms/{slug}/", parts.instance.block.web, parts.instance.block.manager
    cast = await asyncio.to_thread(cast_of, slug)
    cookies = [cookie for each in known for cookie in (each, "")]
    cookies += [""] * (options.listeners - len(cookies))
    pid = web.running["web"].pid
    rounds: list[tuple[Round, Round]] = []
    with bare(other, parts.folder, "hello") as bare_pid:
        mine, theirs = await crowd(port, path, cookies), await crowd(other, "/", [""] * options.listeners)
        stage, source = Stage(port, path, cast, options.pace), Socket(other, "/source")
        await stage.come()
        await source.connect()
        await asyncio.sleep(2)
        print(f"{options.listeners} listeners, {options.acts} acts of each kind a round; {load()}")
        heads = "".join(f"{f'  {kind} p50; p99':>24}" for kind in EFFECTS)
        print(f"{'':<6}{'a delivery':>11}{'an act':>11}{heads}{'missing':>9}")
        for _round in range(options.rounds):
            one = await ours(stage, mine, pid, options)
            print(one.line("ours"), flush=True)
            rounds.append((one, await plain(source, theirs, bare_pid, one)))
            print(rounds[-1][1].line("bare"), flush=True)
        summary(rounds)
        closed = {socket.closed for socket in mine if socket.closed}
        await leave([*mine, *theirs], 5)
    lost = web.log("web").read_text(errors="replace").count(LOST)
    print(f"closed by us: {closed or 'none'}; cut off at once: {lost} departures lost; {load()}")


def summary(rounds: list[tuple[Round, Round]]) -> None:
    """Print medians over all rounds, and ours divided by the plain way."""
    for kind in EFFECTS:
        both = [[wait * 1000 for pair in rounds for wait in pair[side].waits[kind]] for side in (0, 1)]
        half, late = ([share(waits, part) for waits in both] for part in (0.5, 0.99))
        print(f"{kind:<17} p50 {half[0]:.1f} ms, bare {half[1]:.1f} ms; p99 {late[0]:.1f} ms, bare {late[1]:.1f} ms")
    # Processor time is known in steps of 10 ms, which is too coarse where few listen.
    bare_cost = median(other.cost for _one, other in rounds)
    for name, costs in (
        ("a delivery", [(one.cost, other.cost) for one, other in rounds]),
        ("an act", [(one.act_cost, other.cost) for one, other in rounds]),
    ):
        ratio = median([mine / theirs for mine, theirs in costs if theirs] or [float("nan")])
        mine = median(cost for cost, _theirs in costs)
        print(f"{name}: ours {mine:.1f} µs / bare {bare_cost:.1f} µs = {ratio:.2f} (medians)")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--listeners", type=int, default=1000)
    parser.add_argument("--acts", type=int, default=20)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--pace", type=float, default=0.5)
    parser.add_argument("--idle", type=float, default=10)
    options = parser.parse_args()
    many_files(2 * options.listeners)
    with site(limits=admitting(options.listeners)) as (web, parts):
        _pk, slug = a_room()
        asyncio.run(measure(options, web, parts, slug, people(options.listeners // 2)))


if __name__ == "__main__":
    main()
