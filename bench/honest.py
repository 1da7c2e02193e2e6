"""Response times of one client while another uses as much as it can.

    python bench/honest.py [--seconds 30] [--sockets 320]

An honest client at 127.0.0.3 repeats what a person does (home page, a room's page, the beginning of a replay, the
sign-up form, a socket with its snapshot, near listening, a microphone check): first alone, then while a greedy one at
127.0.0.2 (`tests/support/greedy.py`, a process of its own) holds sockets that listen and never connect, begins
microphone checks, downloads thirty files without reading them, drips sixty heads and asks for pages as fast as it is
let. Told are p50 and p99 of all that the honest one did, and how often it was refused. All share the machine's cores.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
import time
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from bench.wire import load, many_files, share, site


def line(name: str, honest: Any) -> tuple[float, float]:
    """Print the results of one phase; p50 and p99 in seconds."""
    waits = [wait for each in honest.waits.values() for wait in each]
    half, most = share(waits, 0.5), share(waits, 0.99)
    rows = f"{len(waits):>8}{half * 1000:>9.0f} ms{most * 1000:>9.0f} ms{max(waits) * 1000:>9.0f} ms"
    print(f"{name:<8}{rows}{len(honest.wrong):>9}  {load()}", *honest.wrong, flush=True)
    return half, most


async def repeat(honest: Any, seconds: float) -> None:
    """Repeat rounds for `seconds`."""
    ends = time.monotonic() + seconds
    while time.monotonic() < ends:
        await honest.round()


async def measure(options: argparse.Namespace) -> None:
    from channels.db import database_sync_to_async as run

    from tests.attacks.test_fair_share import Honest, greed, prepared

    file, room, cookie, user = await run(prepared)()
    await Honest(room, file, user).round()
    print(f"{'':<8}{'things':>8}{'p50':>12}{'p99':>12}{'worst':>12}{'refused':>9}")
    alone, beside = (Honest(room, file, user, signs_up=False) for _phase in range(2))
    await repeat(alone, options.seconds)
    before = line("alone", alone)
    with greed(room, file, cookie, options.seconds + 5, options.sockets) as process:
        await asyncio.sleep(3)
        await repeat(beside, options.seconds)
        after = line("beside", beside)
        said = await asyncio.to_thread(process.communicate)
    print(f"beside / alone  p50 {after[0] / before[0]:.1f}  p99 {after[1] / before[1]:.1f}")
    print(f"the greedy one got {said[0].strip()}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=30)
    parser.add_argument("--sockets", type=int, default=320)
    options = parser.parse_args()
    many_files(options.sockets + 200)
    with site("media", static=True):
        asyncio.run(measure(options))


if __name__ == "__main__":
    main()
