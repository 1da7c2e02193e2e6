"""The events of one room in this process, in order and without gaps, for all its sockets."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Coroutine
from typing import Any

from core.threads import in_thread
from rooms.live.send_queue import Outlet
from rooms.models import Room, RoomEvent
from rooms.wire.events import as_message, encode
from rooms.wire.snapshot import Base, base

log = logging.getLogger(__name__)

PATIENCE = 0.25  # seconds an early event waits for the one before it, before the log is read
BASE_FRESH = 1.0  # seconds a shared snapshot is handed out while nothing happens in the room
MOST_MISSED = 200  # events read from the log to close a gap; beyond this a snapshot is cheaper
Spawn = Callable[[Coroutine[Any, Any, None], str], "asyncio.Task[None]"]


class Feed:
    """One room in this process: its sockets, the last event delivered to them, and events that came too early."""

    def __init__(self, room_pk: int, spawn: Spawn) -> None:
        """`spawn` starts a task that is kept and whose failure is logged."""
        self.room_pk = room_pk
        self.spawn = spawn
        self.outlets: set[Outlet] = set()
        self.last: int | None = None  # None until the first snapshot says where this process begins
        self.early: dict[int, str] = {}
        self.subscribed = asyncio.Event()
        self.empty_since = time.monotonic()
        self.count_due = False
        self.listening = 0  # as last known; said again in beats while Redis is away
        self._shared: tuple[float, Base] | None = None
        self._reading = asyncio.Lock()
        self._healing: asyncio.Task[None] | None = None

    async def base(self, *, fresh: bool = False) -> Base:
        """The shared part of a snapshot, read once for all who ask within a second; never older than what was
        delivered here."""
        asked = time.monotonic()
        async with self._reading:
            if self._shared is not None and self._usable(*self._shared, asked, fresh):
                return self._shared[1]
            started = time.monotonic()
            found = await in_thread(base, self.room_pk)
            self._shared = (started, found)
            if self.last is None:
                self.last = found.seq
                self._deliver_early()
            return found

    def _usable(self, read_at: float, found: Base, asked: float, fresh: bool) -> bool:
        if self.last is not None and found.seq < self.last:
            return False
        return read_at >= asked if fresh else time.monotonic() - read_at < BASE_FRESH

    def forget_base(self) -> None:
        """What was read may not be true any more."""
        self._shared = None

    def lossy(self, text: str) -> None:
        """To everybody, once, now."""
        for outlet in self.outlets:
            outlet.put(text)

    def sequenced(self, seq: int, text: str) -> None:
        """The next event, or one that overtook it, or one that was delivered already."""
        if self.last is None or seq > self.last + 1:
            self.early[seq] = text
            if self.last is not None:
                self.heal(PATIENCE)
        elif seq == self.last + 1:
            self._deliver(seq, text)
            self._deliver_early()

    def _deliver(self, seq: int, text: str) -> None:
        self.last = seq
        for outlet in self.outlets:
            outlet.put(text, seq)

    def _deliver_early(self) -> None:
        """Whatever now follows without a gap; what is older than the last is dropped."""
        for seq in sorted(self.early):
            if self.last is not None and seq <= self.last + 1:
                text = self.early.pop(seq)
                if seq == self.last + 1:
                    self._deliver(seq, text)

    def heal(self, after: float = 0.0) -> None:
        """Close a gap from the log, unless that is being done."""
        if self._healing is None or self._healing.done():
            self._healing = self.spawn(self._heal(after), f"heal-room-{self.room_pk}")

    async def _heal(self, after: float) -> None:
        await asyncio.sleep(after)
        self._deliver_early()
        if not self.early and after:
            return
        try:
            missed = await in_thread(missed_events, self.room_pk, self.last or 0)
        except Exception:
            # The database is away or restarting: sockets keep what they have, and the next beat tries again.
            log.exception("could not read the missed events of room %s", self.room_pk)
            return
        if len(missed) > MOST_MISSED:
            self.resync()
            return
        for seq, text in missed:
            if self.last is None or seq == self.last + 1:
                self._deliver(seq, text)
        self._deliver_early()

    def resync(self) -> None:
        """Everybody starts again from a fresh snapshot."""
        self.last = None
        self.early.clear()
        self.forget_base()
        for outlet in self.outlets:
            outlet.resync()


def missed_events(room_pk: int, after: int) -> list[tuple[int, str]]:
    """What the log has beyond `after`, in order, one more than we would deliver."""
    rows = RoomEvent.objects.filter(room=room_pk, seq__gt=after).order_by("seq")[: MOST_MISSED + 1]
    return [(row.seq, encode(as_message(row))) for row in rows]


def seqs_of(room_pks: list[int]) -> dict[int, int]:
    """The last event of each room, in one query."""
    return dict(Room.objects.filter(pk__in=room_pks).values_list("pk", "seq"))
