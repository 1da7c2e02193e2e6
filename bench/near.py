"""The cost of a live room in processes and bytes, and of each near listener (WebRTC) in it.

    python bench/near.py [--listeners 20] [--seconds 10] [--rounds 3]

A site of ours (web, media, with PostgreSQL, Redis and Janus of its own) and a room in which one speaks without a pause.
Each round measures first the room without listeners, then with `--listeners` of them, who decode what they hear in this
process: processor time of Janus, the supervisor and the two ffmpegs in `--seconds`, memory of Janus, bytes that a
listener gets, and the size of a list and of the pieces that HLS offers meanwhile.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
import time
from contextlib import AsyncExitStack
from pathlib import Path
from statistics import median
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from bench.wire import cpu, load, rss, site

WITHIN = 60.0  # seconds until the room sounds
HEADERS = 28  # bytes of a packet's UDP and IPv4 headers
NAMES = {"leveller": "libopus", "recorder": "hls"}  # a word in the command line of each ffmpeg


def children(pid: int) -> dict[str, int]:
    """Return the process numbers of a supervisor's ffmpegs."""
    found: dict[str, int] = {}
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            line = (folder / "cmdline").read_bytes().decode(errors="replace").split("\0")
            parent = int((folder / "stat").read_text().rpartition(")")[2].split()[1])
        except OSError:  # it has ended
            continue
        if parent == pid and "ffmpeg" in line[0]:
            found |= {name: int(folder.name) for name, word in NAMES.items() if word in line}
    return found


async def worked(pids: dict[str, int], seconds: float) -> dict[str, float]:
    """Return the share of a core that each process takes for so many seconds."""
    before, began = {name: cpu(pid) for name, pid in pids.items()}, time.monotonic()
    await asyncio.sleep(seconds)
    took = time.monotonic() - began
    return {name: (cpu(pid) - before[name]) / took for name, pid in pids.items()}


async def near(stack: AsyncExitStack, url: str, slug: str) -> tuple[Any, Any]:
    """Let one more listener hear; return their connection and ears."""
    from rooms.guests.peers import Ears
    from rooms.guests.visitor import Browser, Visitor, listen

    ears = Ears()
    visitor = await stack.enter_async_context(Visitor(Browser(url), slug))
    peer = await listen(visitor, ears)
    assert peer is not None, "no place"
    stack.push_async_callback(peer.close)
    await asyncio.wait_for(ears.first.wait(), WITHIN)
    return peer, ears


async def received(peer: Any) -> tuple[int, int]:
    """Return the packets and bytes of sound that a connection got, RTP headers included."""
    for stats in (await peer.getStats()).values():
        if stats.type == "transport":
            return int(stats.packetsReceived), int(stats.bytesReceived)
    return 0, 0


async def with_listeners(
    options: argparse.Namespace, url: str, slug: str, pids: dict[str, int]
) -> tuple[dict[str, float], float, float]:
    """Return shares of a core, kbit/s to a listener and memory of Janus (MiB), with all of them."""
    async with AsyncExitStack() as stack:
        heard = [await near(stack, url, slug) for _number in range(options.listeners)]
        await asyncio.sleep(1)
        before, began = await received(heard[0][0]), time.monotonic()
        shares = await worked(pids, options.seconds)
        after, took = await received(heard[0][0]), time.monotonic() - began
        memory = rss(pids["Janus"])
        gaps = max(ears.longest_gap(time.time() - options.seconds, time.time()) for _peer, ears in heard)
        print(f"longest gap of a listener {gaps:.2f} s")
    packets, size = after[0] - before[0], after[1] - before[1]
    return shares, (size + packets * HEADERS) * 8 / 1000 / took, memory


async def measure(options: argparse.Namespace, url: str, room: Any, pids: dict[str, int]) -> None:
    from rooms.guests.peers import Clip
    from rooms.guests.talker import Talker
    from rooms.guests.visitor import Browser
    from rooms.recording import store
    from tests.rooms.media.company import tone
    from tests.support.people import PASSWORD
    from tests.support.waiting import until

    speaker = Browser(url)
    await asyncio.to_thread(speaker.sign_in, "guest0", PASSWORD)
    task = asyncio.create_task(Talker(speaker, room.slug, Clip(tone(), loop=True)).run())
    folder = store.hls_folder(room.pk)
    await until(lambda: len(list(folder.glob("*.m4s"))) > 5, WITHIN, what="a recorder at work")
    pids |= children(pids["supervisor"])
    each, rates, memories = [], [], []
    print(f"{options.listeners} near listeners, {options.seconds:.0f} s each way, {options.rounds} rounds; {load()}")
    for _round in range(options.rounds):
        alone, small = await worked(pids, options.seconds), rss(pids["Janus"])
        full, rate, memory = await with_listeners(options, url, room.slug, pids)
        shares = "  ".join(f"{name} {100 * alone[name]:.2f} → {100 * full[name]:.2f} %" for name in pids)
        print(f"of a core: {shares}", flush=True)
        each.append((full["Janus"] - alone["Janus"]) / options.listeners)
        rates.append(rate)
        memories.append(1024 * (memory - small) / options.listeners)
        await asyncio.sleep(2)
    pieces = [path.stat().st_size for path in sorted(folder.glob("*.m4s"))[:-1]]
    text = await asyncio.to_thread(speaker.fetch, f"/r/{room.slug}/live.m3u8")
    print(f"Janus, a near listener     {1000 * median(each):8.2f} ms of processor time a second (median)")
    print(f"to a near listener         {median(rates):8.1f} kbit/s with UDP and IP headers")
    print(f"memory of Janus            {memories[0]:8.0f} KiB a listener, first round")
    print(f"by HLS                     {median(pieces):8.0f} bytes a piece, {len(text)} bytes a list; {load()}")
    task.cancel()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--listeners", type=int, default=20)
    parser.add_argument("--seconds", type=float, default=10.0)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    with site("media", limits={"STATIC_FILES": "source"}) as (web, parts):
        from tests.support.people import person
        from tests.support.rooms import open_room

        room = open_room()
        person("guest0")
        pids = {"Janus": parts.running["janus"].pid, "supervisor": web.running["media"].pid}
        asyncio.run(measure(options, web.url, room, pids))


if __name__ == "__main__":
    main()
