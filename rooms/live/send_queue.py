"""The send queue of a socket: bounded and ordered; nothing leaves it before the snapshot, and no event twice.

While a socket is idle (its queue is empty and its writer waits) a message for the whole room does not go through the
queue: the hub writes one frame, encoded once, to the socket itself. That costs a fifth of a wakened writer.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Callable

from rooms.live.outlet import Outlet, frame_of
from rooms.rules.identity import is_staff_conn

NO_ROOM = -1  # `room_pk` of a socket that is in no room: that of a person (`rooms.live.person_socket`)
LIMIT = 256  # messages waiting for a slow socket; beyond it the socket is dropped and reconnects


def _nothing(_code: str = "") -> None:
    """Do nothing: nobody is there any more."""


class Broadcast:
    """A message for many sockets, with its number where it has one; its frame is encoded once, and only if needed."""

    __slots__ = ("_frame", "seq", "text")

    def __init__(self, text: str, seq: int | None = None) -> None:
        self.text, self.seq = text, seq
        self._frame: bytes | None = None

    @property
    def frame(self) -> bytes:
        if self._frame is None:
            self._frame = frame_of(self.text)
        return self._frame


class SendQueue:
    """Queue between the hub, which puts messages in, and the socket's writer, which takes them out."""

    __slots__ = (
        "as_staff",
        "conn",
        "dropped",
        "idle",
        "joined",
        "latest",
        "needs_snapshot",
        "on_drop",
        "on_refused",
        "on_restart",
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
        """`on_drop` is called when the socket cannot keep up, `on_refused` with a refusal code when its rights end.
        `on_restart`, when the process is about to end, is the same as `on_drop` unless it is set."""
        self.room_pk = room_pk
        self.on_drop = on_drop
        self.on_refused = on_refused
        self.on_restart = on_drop
        self.who_key = who_key
        self.conn = conn
        self.as_staff = is_staff_conn(conn)
        self.user_pk = user_pk
        self.queue: deque[tuple[str, int | None]] = deque()
        self.waiting = asyncio.Event()
        self.started = False  # nothing is written before the first snapshot
        self.needs_snapshot = False
        self.dropped = False
        self.joined = time.monotonic()
        self.seq = -1
        self.latest = -1
        self.sides: frozenset[str] = frozenset()  # narrower channels that it receives
        self.idle: Outlet | None = None  # the connection, as long as the writer waits for something to write

    @property
    def gets_unread(self) -> bool:
        """Whether it gets what `social.wire` tells its person: not the console's, whose pages show other numbers."""
        return not (self.as_staff and self.room_pk == NO_ROOM)

    @property
    def gets_personal(self) -> bool:
        """Whether it gets what concerns its person as a guest of rooms."""
        return self.room_pk != NO_ROOM and not self.as_staff

    def put(self, text: str, seq: int | None = None) -> None:
        """Queue a message. A full queue is emptied and the socket dropped."""
        if self.dropped:
            return
        if len(self.queue) >= LIMIT:
            self.dropped = True
            self.queue.clear()
            self.on_drop()
        else:
            self.queue.append((text, seq))
            self.waiting.set()

    def broadcast(self, message: Broadcast) -> None:
        """Write a message to the socket at once if it is idle, else queue it. An event that it had already, with a
        snapshot or before, is left out."""
        outlet, seq = self.idle, message.seq
        if outlet is not None and not self.queue and not self.needs_snapshot and not self.dropped:
            if seq is not None and seq <= self.seq:
                return
            if outlet.write(message.frame):
                if seq is not None:
                    self.seq = seq
                return
        self.put(message.text, seq)

    def put_latest(self, text: str, at: int) -> None:
        """Queue a message that replaces the one of its kind before it; one that is older by its clock `at` comes too
        late and is left out. Outside of rooms `at` is the number that a snapshot is compared with, too."""
        if at >= self.latest:
            self.latest = at
            self.put(text, at if self.room_pk == NO_ROOM else None)

    def snapshot(self, text: str, seq: int) -> None:
        """Queue a snapshot before everything else; events that it includes are skipped later."""
        self.seq = max(self.seq, seq)
        self.queue.appendleft((text, None))
        self.started = True
        self.waiting.set()

    def shut(self) -> None:
        """Empty the queue and accept nothing more."""
        self.dropped = True
        self.queue.clear()

    def let_go(self) -> None:
        """Call nothing any more, because the socket has left. It and its queue then go at once; as long as each has the
        other they wait for a search for garbage, and a thousand make that a long one."""
        self.on_drop = self.on_restart = _nothing
        self.on_refused = _nothing

    def resync(self) -> None:
        """Have the writer send a fresh snapshot before anything else.

        The writer alone does it: what it sent while another task read the snapshot would be undone by it.
        """
        self.needs_snapshot = True
        self.waiting.set()

    async def wait(self, outlet: Outlet) -> None:
        """Wait, for the writer, until there is something to do. Meanwhile a broadcast may use its outlet; not while the
        writer reads a snapshot, which would undo what was written."""
        if not self.waiting.is_set():
            self.idle = outlet if self.started else None
            try:
                await self.waiting.wait()
            finally:
                self.idle = None

    def take(self) -> str | None:
        """Remove and return the next message to write; None when there is none."""
        while self.queue:
            text, seq = self.queue.popleft()
            if seq is None:
                return text
            if seq > self.seq:
                self.seq = seq
                return text
        self.waiting.clear()
        return None
