"""Waiting in line: a few of each client's are at work at once in this process, the others wait in their client's line.

So who sends a thousand waits for the thousand alone. For code on an event loop.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from weakref import WeakKeyDictionary

from django.conf import settings


class LineFull(Exception):
    """As many as may wait of this client wait already."""


class Line:
    """Work of one client: begun and waiting."""

    def __init__(self, at_once: int) -> None:
        self.turns = asyncio.Semaphore(at_once)
        self.inside = 0


class Turn:
    """A turn at work. It ends once, whoever says so first."""

    def __init__(self, line: Line) -> None:
        self._line: Line | None = line

    def end(self) -> None:
        """The next in the line may begin."""
        if self._line is not None:
            self._line.turns.release()
            self._line.inside -= 1
            self._line = None


class Lines:
    """One kind of work, with a line for each client; `at_once` and `waiting` name the settings."""

    def __init__(self, at_once: str, waiting: str) -> None:
        self.at_once, self.waiting = at_once, waiting
        self._loops: WeakKeyDictionary[asyncio.AbstractEventLoop, dict[str, Line]] = WeakKeyDictionary()

    @asynccontextmanager
    async def turn(self, client_key: str) -> AsyncIterator[Turn]:
        """Wait for a turn, which ends with the block at the latest. Raises LineFull at once."""
        lines = self._loops.setdefault(asyncio.get_running_loop(), {})
        line = lines.setdefault(client_key, Line(getattr(settings, self.at_once)))
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
