"""The supervisor's loop: make Janus and ffmpeg match the database, again after any of them dies.

Every second, and at once when a room changed, wanted state is compared with what is built. What it knows is kept in
Redis, so that a restarted supervisor claims the session again and people talk on. A step that fails is tried again in
the next round, a room that waits for something keeps no other room waiting; nothing here ends the process but a signal.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any

from django.db import DatabaseError
from redis.exceptions import RedisError

from core import loops
from core.lane import Lane
from core.threads import in_thread
from rooms.media import redis_keys
from rooms.media.janus.client import JanusGone
from rooms.media.janus.probe import EVERY
from rooms.media.supervisor import fairness, reconcile, rights, status, tap, wanted
from rooms.media.supervisor.context import FAILURES, Context
from rooms.media.supervisor.request_queue import RequestQueue
from rooms.media.supervisor.room_disk import clear_tracks
from rooms.media.supervisor.session import Session
from rooms.recording import track_memory
from rooms.recording.hls import window

log = logging.getLogger(__name__)

ROUND = 1.0  # seconds between comparisons, and the longest a round waits for its rooms
DEEP_ROUND = 5.0  # seconds between looks at what Janus itself says
RECONNECT = 0.25
SETTLE = 5.0  # seconds that rooms get to end what they are at when Janus is lost


class Supervisor:
    """Media supervisor, one a node. `run` returns when `stop` was called."""

    def __init__(self) -> None:
        self.context = Context.create()
        self.session = Session(self.context)
        self._stopping = asyncio.Event()
        self._steps: dict[str, asyncio.Task[None]] = {}  # parts of a round that are at work
        self._memory, self._left = Lane("WINDOW_DIR"), Lane("disk of rooms that are over")
        self._deep_at = self._probe_at = 0.0

    def stop(self) -> None:
        """Make `run` end soon: recorders write their last segment, Janus keeps the session for a while."""
        self._stopping.set()
        self.context.changed.set()

    async def run(self) -> None:
        """Run until `stop` is called."""
        context = self.context
        await self._load()
        await context.disk.look()
        named: dict[str, Any] = {
            "media-heartbeat": lambda: status.write_heartbeats(context),
            "media-changes": lambda: redis_keys.hear_changes(context.redis, context.changed),
            "media-requests": RequestQueue(context).serve_forever,
            "media-disk": context.disk.watch,
            "media-letters": context.disk.write_letters,
            "media-rooms": self._connect_forever,
        }
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(loops.keep(name, loop), name=name) for name, loop in named.items()]
            await self._stopping.wait()
            for task in [*tasks, *context.tasks, *self._steps.values()]:
                task.cancel()
        await asyncio.gather(*(studio.drop_children() for studio in context.studios.values()), return_exceptions=True)
        await tap.kill_ending()
        await context.janus.close()

    async def _load(self) -> None:
        context = self.context
        while not self._stopping.is_set():
            try:
                await context.state.load()
                break
            except (RedisError, OSError) as error:
                log.warning("Redis is away: %s", error)
                await self._wait(1.0)
        for pk, built in context.state.rooms.items():
            run = built.get("run")
            context.room_disk(pk).run = run if isinstance(run, int) else None

    async def _connect_forever(self) -> None:
        """Connect and loop, again whenever Janus is lost."""
        while True:
            try:
                if await self.session.connect():
                    self._deep_at = 0.0
                self._probe_at = 0.0
                await self._loop()
            except JanusGone as error:
                self.session.log_disconnected(error)
            except FAILURES as error:
                log.warning("a round failed: %s %s", type(error).__name__, error)
            finally:
                self.context.connected = False
                await self._finish_steps()
            await self._wait(RECONNECT)

    async def _finish_steps(self) -> None:
        """Wait for running steps: one that is cut off in the middle would leave processes behind."""
        if self._steps:
            _done, left = await asyncio.wait(self._steps.values(), timeout=SETTLE)
            for task in left:
                task.cancel()

    async def _loop(self) -> None:
        """Run rounds until Janus is gone. Raises JanusGone."""
        while True:
            if self.context.janus.gone.is_set():
                raise JanusGone("connection lost")
            self.context.changed.clear()
            await self._round()
            await self._wait(ROUND)

    async def _wait(self, seconds: float) -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                gone = asyncio.ensure_future(self.context.janus.gone.wait()) if self.context.connected else None
                changed = asyncio.ensure_future(self.context.changed.wait())
                try:
                    await asyncio.wait([task for task in (gone, changed) if task], return_when="FIRST_COMPLETED")
                finally:
                    changed.cancel()
                    if gone:
                        gone.cancel()

    async def _round(self) -> None:
        deep = time.monotonic() - self._deep_at > DEEP_ROUND
        try:
            self.context.wanted = await in_thread(wanted.load)
        except DatabaseError as error:
            log.warning("the database is away, rooms go on as they are: %s", type(error).__name__)
        else:
            if deep:
                self._start_step("memory", self._sweep_memory)
        if deep:
            self._deep_at = time.monotonic()
        self._start_step("rights", lambda: rights.enforce(self.context))
        self._start_step("places", lambda: fairness.end_overdue(self.context))
        for pk in self.context.wanted.keys() | self.context.studios.keys():
            self._start_step(f"room {pk}", lambda pk=pk: self._update_room(pk, deep))  # type: ignore[misc]
        await asyncio.wait(self._steps.values(), timeout=ROUND)
        if time.monotonic() - self._probe_at > EVERY:
            self._probe_at = 0.0 if self.context.disk.shut else time.monotonic()  # again as soon as there is room
            self.context.start(status.write_probe(self.context))

    def _start_step(self, what: str, work: Callable[[], Awaitable[object]]) -> None:
        """Start a step of a round, side by side with the others, unless the one of the last round still runs."""
        if what not in self._steps:
            self._steps[what] = asyncio.create_task(self._run_step(what, work), name=what)
            self._steps[what].add_done_callback(lambda _done: self._steps.pop(what, None))

    async def _run_step(self, what: str, work: Callable[[], Awaitable[object]]) -> None:
        """Run a step; its errors are logged and stop no other. A lost Janus is for `_connect_forever`."""
        try:
            await work()
        except JanusGone:
            self.context.janus.gone.set()
        except FAILURES as error:
            log.warning("%s: %s %s", what, type(error).__name__, error)
        except Exception as error:
            await loops.item_failed("media-rooms", what, error)

    async def _sweep_memory(self) -> None:
        live = self.context.wanted.keys() | self.context.studios.keys()
        paused = [pk for pk, studio in self.context.studios.items() if not studio.recording]
        await self._memory.run(lambda: window.sweep(live, paused))
        for pk in set(await self._memory.run(track_memory.rooms)) - live:
            await self._run_step(f"tracks of room {pk}", lambda pk=pk: clear_tracks(pk, self._left))  # type: ignore[misc]

    async def _update_room(self, pk: int, deep: bool) -> None:
        """Build, reconcile or take down one room."""
        room, studio = self.context.wanted.get(pk), self.context.studios.get(pk)
        if room is None and studio is not None:
            await reconcile.take_down_room(self.context, studio)
        elif room is not None and studio is None:
            await reconcile.build_room(self.context, room)
        elif room is not None and studio is not None:
            await reconcile.reconcile_room(self.context, room, studio, deep)
