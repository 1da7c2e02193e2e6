"""Seconds until a thousand people who join one room at once have its snapshot.

    python bench/join.py [--sockets 1000] [--rounds 3]

Each round opens all sockets in one go, each from an address of its own (127.1.0.0/16), on a `web` process of ours (with
PostgreSQL and Redis of its own) and on a bare `websockets` server, which sends the same snapshot to whoever connects.
Half of ours are signed in, half only listen.
Counted are the seconds until everybody has a snapshot, the time of each, processor time, whether the room's count
settles at the right number, and (afterwards, with PostgreSQL's log of statements) what a join asks of the database.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from statistics import median

import psycopg

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from bench.wire import Socket, a_room, admitting, bare, cpu, load, many_files, rss, share, site
from deploy.local.throwaway import Throwaway
from tests.support.processes import Site

WITHIN = 60.0  # seconds until a socket without a snapshot counts as failed


@dataclass
class Joined:
    """Results of one round: seconds to each snapshot, why others failed, processor seconds of the server."""

    waits: list[float]
    failures: list[str]
    spent: float
    settled: float | None

    def line(self, name: str) -> str:
        settled = "" if self.settled is None else f"{self.settled:>9.1f} s"
        each = self.spent / max(1, len(self.waits)) * 1000
        return (
            f"{name:<6}{max(self.waits):>9.2f} s{share(self.waits, 0.5):>9.2f} s{share(self.waits, 0.99):>9.2f} s"
            f"{self.spent:>9.2f} s{each:>9.2f} ms{len(self.failures):>8}{settled}"
        )


def own_address(number: int) -> str:
    """Return an address of this machine: a crowd does not come from one, and each has a few handshakes at once."""
    return f"127.1.{number // 250}.{number % 250 + 1}"


async def join(port: int, path: str, cookies: list[str], pid: int) -> tuple[list[Socket], Joined]:
    """Open all sockets at once."""
    sockets = [Socket(port, path, cookie, address=own_address(number)) for number, cookie in enumerate(cookies)]
    before, began = cpu(pid), time.monotonic()

    async def one(socket: Socket) -> float:
        async with asyncio.timeout(WITHIN):
            await socket.connect()
            return await socket.first - began

    done = await asyncio.gather(*map(one, sockets), return_exceptions=True)
    spent = cpu(pid) - before
    waits = [each for each in done if isinstance(each, float)]
    failures = [socket.closed or repr(each) for socket, each in zip(sockets, done, strict=True) if each not in waits]
    return sockets, Joined(waits or [WITHIN], failures, spent, None)


async def settle(socket: Socket, number: int, since: float) -> float | None:
    """Return the seconds until the room reports `number` listeners and nothing else for two beats; None where it
    never does."""
    await asyncio.sleep(12)
    said = [(at, message["listening"]) for at, message in socket.decoded() if message["type"] in ("count", "beat")]
    last_wrong = max((place for place, (_at, listening) in enumerate(said) if listening != number), default=-1)
    return said[last_wrong + 1][0] - since if last_wrong + 1 < len(said) else None


async def leave(sockets: list[Socket], seconds: float) -> None:
    for socket in sockets:
        if hasattr(socket, "transport"):
            socket.cut()
    await asyncio.sleep(seconds)


def people(number: int) -> list[str]:
    """Return session cookies of `number` accounts."""
    from people.models import User
    from tests.support.people import session_cookie

    handles = [f"listener{place}" for place in range(number)]
    users = User.objects.bulk_create(
        [User(handle=handle, email=f"{handle}@example.org", display_name=handle) for handle in handles]
    )
    return [session_cookie(user) for user in users]


async def statements(port: int, path: str, cookies: list[str], pid: int, log: Path) -> float:
    """Return the number of statements that PostgreSQL ran for a join, including those for the room's count and beat."""
    before = len(await asyncio.to_thread(log.read_bytes))
    sockets, _joined = await join(port, path, cookies, pid)
    text = (await asyncio.to_thread(log.read_bytes))[before:]
    await leave(sockets, 0)
    return (text.count(b"statement: ") + text.count(b"execute ")) / len(cookies)


def log_statements(url: str) -> None:
    """Have PostgreSQL log every statement; `url` is that of a superuser, because the site's own role owns nothing."""
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("ALTER SYSTEM SET log_statement = 'all'")
        connection.execute("SELECT pg_reload_conf()")
    time.sleep(0.5)


async def measure(options: argparse.Namespace, web: Site, parts: Throwaway, slug: str, known: list[str]) -> None:
    path, port, pid = f"/ws/rooms/{slug}/", parts.instance.block.web, web.running["web"].pid
    cookies = [cookie for each in known for cookie in (each, "")]
    cookies += [""] * (options.sockets - len(cookies))
    warm, _joined = await join(port, path, cookies[:20], pid)
    snapshot = warm[0].messages[0][1].decode()
    await leave(warm, 2)
    print(f"{options.sockets} sockets, a snapshot of {len(snapshot)} bytes; {load()}")
    print(f"{'':<6}{'all have it':>11}{'p50':>11}{'p99':>11}{'processor':>11}{'each':>12}{'failed':>8}  count right")
    ratios, works, memory = [], [], 0.0
    with bare(parts.instance.block.manager, parts.folder, snapshot) as bare_pid:
        for _round in range(options.rounds):
            began = time.monotonic()
            sockets, ours = await join(port, path, cookies, pid)
            ours.settled = await settle(sockets[0], options.sockets, began)
            memory = rss(pid)
            print(ours.line("ours"), *sorted(set(ours.failures)), flush=True)
            await leave(sockets, 3)
            sockets, plain = await join(parts.instance.block.manager, "/", cookies, bare_pid)
            print(plain.line("bare"), *sorted(set(plain.failures)), flush=True)
            await leave(sockets, 1)
            ratios.append(max(ours.waits) / max(plain.waits))
            works.append(ours.spent / plain.spent)
    print(f"ours / bare, until all have it   {median(ratios):6.2f}   (median of {options.rounds})")
    print(f"ours / bare, processor time      {median(works):6.2f}")
    print(f"memory of our web process        {memory:6.0f} MiB with {options.sockets} sockets")
    await asyncio.to_thread(log_statements, parts.instance.postgres.superuser_url)
    for name, group in (("signed in", known[:100]), ("signed out", [""] * 100)):
        each = await statements(port, path, group, pid, parts.log("postgres"))
        print(f"statements a join, {name:<10}    {each:6.2f}")
    print(load())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sockets", type=int, default=1000)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    many_files(options.sockets)
    with site(limits=admitting(options.sockets)) as (web, parts):
        _pk, slug = a_room()
        asyncio.run(measure(options, web, parts, slug, people(options.sockets // 2)))


if __name__ == "__main__":
    main()
