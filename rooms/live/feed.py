"""Deliver the events of one room to its sockets in this process, in order and without gaps."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.utils import timezone

from core.threads import in_thread
from rooms.live.send_queue import Broadcast, SendQueue
from rooms.models import Room, RoomEvent
from rooms.recording.hls.tickets import ticket_to
from rooms.rules.facts import removed_macs
from rooms.wire.events import as_message, encode
from rooms.wire.snapshot import Base, base

log = logging.getLogger(__name__)

PATIENCE = 0.25  # seconds to wait for a missing event before it is read from the log
BASE_FRESH = 1.0  # seconds for which a shared snapshot is reused
MOST_MISSED = 200  # events read from the log to close a gap; beyond this a snapshot is cheaper
Spawn = Callable[[Coroutine[Any, Any, None], str], "asyncio.Task[None]"]


@dataclass(frozen=True)
class Shared:
    """One reading of all that sockets of a room share, which began at `read_at` (monotonic): the snapshot's base, and
    the MACs of removed accounts' listener cookies (`rooms.rules.facts.removed_macs`)."""

    read_at: float
    base: Base
    macs: frozenset[str]


class Feed:
    """One room in this process: its sockets, the number of the last delivered event, and events that came too early."""

    def __init__(self, room_pk: int, spawn: Spawn) -> None:
        """`spawn` starts a task, keeps a reference to it and logs its failure."""
        self.room_pk = room_pk
        self.spawn = spawn
        self.send_queues: set[SendQueue] = set()
        self.last: int | None = None  # None until the first snapshot gives the number to start from
        self.early: dict[int, str] = {}
        self.subscribed = asyncio.Event()
        self.empty_since = time.monotonic()
        self.count_due = False
        self.listening = 0  # last known count; beats repeat it while Redis is away
        self._shared: Shared | None = None
        self._doubted = 0.0  # when the room's rights changed last (monotonic): older readings are not used again
        self._row: Room | None = None  # the room's row, until an event follows the snapshot that it came with
        self._reading = asyncio.Lock()
        self._filling: asyncio.Task[None] | None = None

    async def base(self, *, fresh: bool = False) -> Base:
        """Read the part of a snapshot that all readers share, as `shared` does."""
        return (await self.shared(fresh=fresh)).base

    async def shared(self, *, fresh: bool = False) -> Shared:
        """Read what all sockets of the room share, at most once a second unless `fresh`. It is never older than the
        last delivered event, nor than the last change of the room's rights."""
        asked = time.monotonic()
        async with self._reading:
            if self._shared is not None and self._usable(self._shared, asked, fresh):
                self._row = self._shared.base.row
                return self._shared
            shared = self._shared = await in_thread(read_shared, self.room_pk)
            if self.last is None:
                self.last = shared.base.seq
                self._deliver_early()
            if shared.base.seq >= self.last:
                self._row = shared.base.row
            return shared

    async def row(self) -> Room:
        """The room's row, read again only after an event: for verbs that come too often to read it each time."""
        return self._row or (await self.base()).row

    def _usable(self, shared: Shared, asked: float, fresh: bool) -> bool:
        if shared.read_at <= self._doubted or (self.last is not None and shared.base.seq < self.last):
            return False
        return shared.read_at >= asked if fresh else time.monotonic() - shared.read_at < BASE_FRESH

    def forget_base(self) -> None:
        """Discard the shared snapshot: it may be out of date."""
        self._shared = None

    def doubt(self) -> None:
        """Discard what is known of the room's rights and who is here, also a reading that is on its way."""
        self._doubted = time.monotonic()
        self._shared = self._row = None

    def put_lossy(self, text: str) -> None:
        """Queue a message without a number for every socket."""
        message = Broadcast(text)
        for send_queue in self.send_queues:
            send_queue.broadcast(message)

    def put_sequenced(self, seq: int, text: str) -> None:
        """Deliver the next event, keep an early one until the gap is filled, drop one that was delivered already."""
        if self.last is None or seq > self.last + 1:
            self.early[seq] = text
            if self.last is not None:
                self.fill_gap(PATIENCE)
        elif seq == self.last + 1:
            self._deliver(seq, text)
            self._deliver_early()

    def _deliver(self, seq: int, text: str) -> None:
        self.last, self._row = seq, None
        message = Broadcast(text, seq)
        for send_queue in self.send_queues:
            send_queue.broadcast(message)

    def _deliver_early(self) -> None:
        """Deliver early events that now follow without a gap; drop those that are older than the last."""
        for seq in sorted(self.early):
            if self.last is not None and seq <= self.last + 1:
                text = self.early.pop(seq)
                if seq == self.last + 1:
                    self._deliver(seq, text)

    def fill_gap(self, after: float = 0.0) -> None:
        """Read missed events from the log after `after` seconds, unless a task does that already."""
        if self._filling is None or self._filling.done():
            self._filling = self.spawn(self._fill_gap(after), f"fill-gap-{self.room_pk}")

    async def _fill_gap(self, after: float) -> None:
        await asyncio.sleep(after)
        self._deliver_early()
        if not self.early and after:
            return
        try:
            missed = await in_thread(missed_events, self.room_pk, self.last or 0)
        except Exception:
            # The database is away or restarting: the next beat tries again.
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
        """Have every socket start again from a fresh snapshot."""
        self.last = self._row = None
        self.early.clear()
        self.forget_base()
        for send_queue in self.send_queues:
            send_queue.resync()


def read_shared(room_pk: int) -> Shared:
    """Read what all sockets of a room share: three queries and one question to Redis. Raises unknown_room."""
    read_at = time.monotonic()
    return Shared(read_at, base(room_pk), removed_macs([room_pk]).get(room_pk, frozenset()))


def missed_events(room_pk: int, after: int) -> list[tuple[int, str]]:
    """Numbers and texts of the events after number `after`, in order; at most MOST_MISSED + 1."""
    rows = RoomEvent.objects.filter(room=room_pk, seq__gt=after).order_by("seq")[: MOST_MISSED + 1]
    return [(row.seq, encode(as_message(row))) for row in rows]


def now_of(room_pks: list[int]) -> dict[int, tuple[int, str | None]]:
    """Number of the last event of each room, and the address of its live list where it has a ticket; one query."""
    rows = Room.objects.filter(pk__in=room_pks).values_list("pk", "seq", "epoch", "entry_policy")
    return {pk: (seq, ticket_to(pk, epoch, policy)) for pk, seq, epoch, policy in rows}


def over_rooms(room_pks: list[int], seconds: float) -> set[int]:
    """Select those of these rooms, by key, that ended at least so many seconds ago."""
    before = timezone.now() - timedelta(seconds=seconds)
    rows = Room.objects.filter(pk__in=room_pks, status=Room.Status.ENDED, ended_at__lte=before)
    return set(rows.values_list("pk", flat=True))
