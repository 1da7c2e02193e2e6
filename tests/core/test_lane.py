"""Work that hangs: refused in time, never two at once, and undone when it comes too late."""

from __future__ import annotations

import asyncio
import queue
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from core.lane import DiskHangs, Lane

SHORT = 0.05  # seconds


@pytest.fixture
def gate() -> Iterator[threading.Event]:
    """Event that hanging work waits for; set at the end of the test."""
    event = threading.Event()
    yield event
    event.set()


async def test_results_and_errors_come_back() -> None:
    lane = Lane("disk")
    assert await lane.run(lambda: 7) == 7
    assert lane.run_here(lambda: 8) == 8
    with pytest.raises(FileNotFoundError):
        await lane.run(Path("/nowhere/at/all").read_bytes)
    assert not lane.hangs


async def test_what_hangs_is_left_and_others_are_refused_at_once(gate: threading.Event) -> None:
    lane, begun = Lane("disk"), []

    def hang() -> str:
        begun.append(threading.current_thread())
        gate.wait(60)
        return "late"

    undone: queue.SimpleQueue[str] = queue.SimpleQueue()
    with pytest.raises(DiskHangs):
        await lane.run(hang, within=SHORT, undo=undone.put)
    assert lane.hangs is True
    began = time.monotonic()
    for _try in range(20):
        with pytest.raises(DiskHangs):
            await lane.run(hang, within=30)
        with pytest.raises(DiskHangs):
            lane.run_here(hang, within=30)
    assert time.monotonic() - began < 20 and len(begun) == 1
    gate.set()
    assert await asyncio.to_thread(undone.get, timeout=30) == "late"
    assert await lane.run(lambda: "on time") == "on time"


async def test_pieces_of_work_never_overlap() -> None:
    lane, at_work, most = Lane("disk"), [0], [0]

    def work() -> None:
        at_work[0] += 1
        most[0] = max(most[0], at_work[0])
        time.sleep(0.005)
        at_work[0] -= 1

    await asyncio.gather(*(lane.run(work, within=30) for _ in range(20)))
    assert most == [1]


async def test_what_nobody_waits_for_any_more_is_undone(gate: threading.Event) -> None:
    lane, undone = Lane("disk"), asyncio.Event()
    loop = asyncio.get_running_loop()

    def undo(_result: bool) -> None:
        loop.call_soon_threadsafe(undone.set)

    task = asyncio.create_task(lane.run(lambda: gate.wait(60), within=60, undo=undo))
    await asyncio.sleep(SHORT)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    gate.set()
    await asyncio.wait_for(undone.wait(), 30)


def test_a_process_ends_although_its_disk_hangs() -> None:
    """A thread of a pool would be waited for when the interpreter exits."""
    program = """
import asyncio, threading
from core.lane import DiskHangs, Lane

async def main():
    try:
        await Lane("disk").run(threading.Event().wait, within=0.05)
    except DiskHangs:
        print("hangs")

asyncio.run(main())
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout == "hangs\n"
