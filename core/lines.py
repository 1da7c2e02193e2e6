"""Fair queues for code on an event loop: each client has its own, and a few of its requests run at once in this
process.

A client that sends a thousand requests only waits for its own.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from weakref import WeakKeyDictionary

from django.conf import settings


class LineFull(Exception):
    """As many requests of this client wait already as may."""


class ClientQueue:
    """The queue of one client: requests that run or wait."""

    def __init__(self, at_once: int) -> None:
        self.turns = asyncio.Semaphore(at_once)
        self.inside = 0


class Turn:
    """A request's place among those that run. Ending it twice is the same as once."""

    def __init__(self, line: ClientQueue) -> None:
        self._line: ClientQueue | None = line

    def end(self) -> None:
        """Let the next request of the queue begin."""
        if self._line is not None:
            self._line.turns.release()
            self._line.inside -= 1
            self._line = None


class Lines:
    """The queues of one kind of work, one for each client; `at_once` and `waiting` name the settings with the
    limits."""

    def __init__(self, at_once: str, waiting: str) -> None:
        self.at_once, self.waiting = at_once, waiting
        self._loops: WeakKeyDictionary[asyncio.AbstractEventLoop, dict[str, ClientQueue]] = WeakKeyDictionary()

    @asynccontextmanager
    async def turn(self, client_key: str) -> AsyncIterator[Turn]:
        """Wait for a turn, which ends with the block at the latest. Raises LineFull without waiting."""
        lines = self._loops.setdefault(asyncio.get_running_loop(), {})
        line = lines.setdefault(client_key, ClientQueue(getattr(settings, self.at_once)))
        if line.inside >= getattr(settings, self.waiting):
            raise LineFull
        line.inside += 1
        try:
            await line.turns.acquire()
        except BaseException:
            line.inside -= 1
            raise
        turn = Turn(line)
        try:
            yield turn
        finally:
            turn.end()
            if line.inside == 0 and lines.get(client_key) is line:
                del lines[client_key]
