"""One socket's end of the hub: a bounded queue, in order, with nothing before the snapshot and nothing twice."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable

LIMIT = 256  # messages that wait for a slow socket; then it is dropped, and comes back with a snapshot


class Outlet:
    """What the hub puts in and the socket's writer takes out."""

    __slots__ = (
        "conn",
        "dropped",
        "needs_snapshot",
        "on_drop",
        "on_refused",
        "queue",
        "room_pk",
        "seq",
        "sides",
        "started",
        "user_pk",
        "waiting",
        "who_key",
    )

    def __init__(
        self,
        room_pk: int,
        who_key: str,
        conn: str,
        user_pk: int | None,
        on_drop: Callable[[], None],
        on_refused: Callable[[str], None],
    ) -> None:
        """`on_drop` is called when the socket cannot keep up, `on_refused` with the code that puts it out."""
        self.room_pk = room_pk
        self.on_drop = on_drop
        self.on_refused = on_refused
        self.who_key = who_key
        self.conn = conn
        self.user_pk = user_pk
        self.queue: deque[tuple[str, int | None]] = deque()
        self.waiting = asyncio.Event()
        self.started = False  # nothing is written before the first snapshot
        self.needs_snapshot = False
        self.dropped = False
        self.seq = -1
        self.sides: frozenset[str] = frozenset()  # narrower channels than the room's that it hears

    def put(self, text: str, seq: int | None = None) -> None:
        """Queue a message; a queue that is full means the socket cannot keep up."""
        if self.dropped:
            return
        if len(self.queue) >= LIMIT:
            self.dropped = True
            self.queue.clear()
            self.on_drop()
        else:
            self.queue.append((text, seq))
            self.waiting.set()

    def snapshot(self, text: str, seq: int) -> None:
        """A snapshot goes out before whatever waits; older events fall away when their turn comes."""
        self.seq = max(self.seq, seq)
        self.queue.appendleft((text, None))
        self.started = True
        self.needs_snapshot = False
        self.waiting.set()

    def shut(self) -> None:
        """Nothing goes out any more."""
        self.dropped = True
        self.queue.clear()

    def resync(self) -> None:
        """The writer makes a fresh snapshot before it writes anything else."""
        self.needs_snapshot = True
        self.waiting.set()

    def take(self) -> str | None:
        """The next message to write; None when there is nothing."""
        while self.queue:
            text, seq = self.queue.popleft()
            if seq is None:
                return text
            if seq > self.seq:
                self.seq = seq
                return text
        self.waiting.clear()
        return None
