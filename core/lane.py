"""Work on a disk that may hang for ever: run in a thread with a time limit, at most one hanging thread a lane.

A thread that waits for a dead disk cannot be ended. So this work runs neither in a thread pool that others need nor in
a thread that the interpreter joins at exit, but in a new daemon thread for each call (0.1 ms).
"""

from __future__ import annotations

import asyncio
import logging
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future, wait
from contextlib import suppress
from typing import Any, TypeVar

log = logging.getLogger(__name__)

R = TypeVar("R")

PATIENCE = 2.0  # seconds that a call may take


class DiskHangs(OSError):
    """The disk did not answer in time."""


class NotBegun(DiskHangs):
    """The work was not started, because earlier work in the lane still runs or hangs."""


class Lane:
    """Calls that run one at a time. While one hangs, all others are refused at once."""

    def __init__(self, name: str) -> None:
        self.name = name
        self._lock = threading.Lock()
        self._running: Future[Any] | None = None
        self._late = False  # its caller stopped waiting for it

    @property
    def hangs(self) -> bool:
        """Whether the last call took too long and is not done yet."""
        running = self._running
        return self._late and running is not None and not running.done()

    async def run(
        self, work: Callable[[], R], *, within: float = PATIENCE, undo: Callable[[R], object] | None = None
    ) -> R:
        """Return the result of `work`, or raise DiskHangs after `within` seconds. A late result is passed to `undo`."""
        ends = time.monotonic() + within
        while True:
            future, mine = self._begin(work)
            if mine:
                break
            await _until_done(future, ends)
            self._give_up_after(future, ends)
        try:
            await _until_done(future, ends)
        except asyncio.CancelledError:
            self._leave(future, undo)
            raise
        return self._result(future, undo)

    def run_here(self, work: Callable[[], R], *, within: float = PATIENCE) -> R:
        """Return the result of `work` as `run` does, for blocking code."""
        ends = time.monotonic() + within
        while True:
            future, mine = self._begin(work)
            wait([future], timeout=max(0.0, ends - time.monotonic()))
            if mine:
                return self._result(future, None)
            self._give_up_after(future, ends)

    def _begin(self, work: Callable[[], R]) -> tuple[Future[R], bool]:
        """Start the work and return (its future, True), or return (the future that still runs, False). Raises
        NotBegun."""
        with self._lock:
            if self.hangs:
                raise NotBegun(f"{self.name} still does not answer")
            if self._running is not None and not self._running.done():
                return self._running, False
            self._running, self._late = Future(), False
            threading.Thread(target=_work, args=(self._running, work), name=self.name, daemon=True).start()
            return self._running, True

    def _give_up_after(self, future: Future[Any], ends: float) -> None:
        if not future.done() and time.monotonic() >= ends:
            raise NotBegun(f"{self.name} is busy")

    def _result(self, future: Future[R], undo: Callable[[R], object] | None) -> R:
        if not future.done():
            self._leave(future, undo)
            log.warning("%s does not answer", self.name)
            raise DiskHangs(f"{self.name} does not answer")
        return future.result()

    def _leave(self, future: Future[R], undo: Callable[[R], object] | None) -> None:
        self._late = True
        if undo is not None:
            future.add_done_callback(lambda done: None if done.exception() else undo(done.result()))


async def _until_done(future: Future[Any], ends: float) -> None:
    """Wait for a future, at most until `ends` on the monotonic clock. The loop may be closed when it is done."""
    loop, done = asyncio.get_running_loop(), asyncio.Event()

    def wake(_future: Future[Any]) -> None:
        with suppress(RuntimeError):
            loop.call_soon_threadsafe(done.set)

    future.add_done_callback(wake)
    with suppress(TimeoutError):
        async with asyncio.timeout(max(0.0, ends - time.monotonic())):
            await done.wait()


def _work(future: Future[Any], work: Callable[[], Any]) -> None:
    future.set_running_or_notify_cancel()
    try:
        result = work()
    except BaseException as error:
        future.set_exception(error)
    else:
        future.set_result(result)
