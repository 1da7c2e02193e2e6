"""Makes Janus and ffmpeg match the database, again after any of them dies. It alone owns Janus' session.

Every second, and at once when a room changed, wanted state is compared with what is built. What it knows is kept in
Redis, so that a restarted supervisor claims the session again and people talk on. A step that fails is tried again in
the next round, a room that waits for something keeps no other room waiting; nothing here ends the process but a signal.
"""

from __future__ import annotations

import asyncio
import json
import logging
import os
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Coroutine
from contextlib import suppress
from typing import Any
from weakref import WeakValueDictionary

from django.conf import settings
from django.db import DatabaseError
from redis.exceptions import RedisError

from core import bus, loops
from core.lane import Lane
from core.threads import in_thread
from rooms.media import redis_keys
from rooms.media.janus import bridge, mountpoint
from rooms.media.janus.client import Janus, JanusGone
from rooms.media.janus.probe import EVERY, KEPT, probe
from rooms.media.supervisor import events, fairness, reconcile, rights, verbs, wanted
from rooms.media.supervisor.disk import Disk
from rooms.media.supervisor.state import Handle, Kept
from rooms.media.supervisor.studio import RoomDisk, Studio, clear_tracks
from rooms.media.supervisor.verbs import FAILURES
from rooms.recording import track_memory
from rooms.recording.hls import window

log = logging.getLogger(__name__)

ROUND = 1.0  # seconds between comparisons, and the longest a round waits for its rooms
DEEP_ROUND = 5.0  # seconds between looks at what Janus itself says
HEARTBEAT_TTL = 10
RECONNECT = 0.25
SETTLE = 5.0  # seconds that rooms get to end what they are at when Janus is lost


class Supervisor:
    """One a node. `run` returns when `stop` was called."""

    def __init__(self) -> None:
        self.redis: Any = bus.connect()
        self.kept = Kept(self.redis)
        self.janus = self._new_janus()
        self.studios: dict[int, Studio] = {}
        self.disks: dict[int, RoomDisk] = {}
        self.wanted: dict[int, wanted.WantedRoom] = {}
        self.check_room: bridge.Bridge | None = None
        self.changed = asyncio.Event()
        self.arriving: Counter[str] = Counter()  # near listeners whose place is being made, by client
        self.disk = Disk(self.redis, self.changed)
        self.rebuilt: set[int] = set()  # rooms that Janus lost: who is in them connects anew
        self._stopping = asyncio.Event()
        self.connected = self._told_away = False
        # A line's lock lives as long as somebody stands in the line.
        self._lines: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()
        self._tasks: set[asyncio.Task[Any]] = set()
        self._steps: dict[str, asyncio.Task[None]] = {}  # parts of a round that are at work
        self._memory, self._left = Lane("WINDOW_DIR"), Lane("disk of rooms that are over")
        self._deep_at = self._probe_at = 0.0

    def _new_janus(self) -> Janus:
        return Janus(settings.JANUS_WS_URL, settings.JANUS_API_SECRET, lambda event: events.take(self, event))

    def stop(self) -> None:
        """End at the next chance: recorders write their last piece, Janus keeps the session for a while."""
        self._stopping.set()
        self.changed.set()

    async def run(self) -> None:
        """Until stopped."""
        await self._load()
        await self.disk.look()
        named: dict[str, Any] = {
            "media-heartbeat": self._beat,
            "media-changes": lambda: redis_keys.hear_changes(self.redis, self.changed),
            "media-requests": self._take_requests,
            "media-disk": self.disk.watch,
            "media-letters": self.disk.write_letters,
            "media-rooms": self._tend_forever,
        }
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(loops.keep(name, loop), name=name) for name, loop in named.items()]
            await self._stopping.wait()
            for task in [*tasks, *self._tasks, *self._steps.values()]:
                task.cancel()
        await asyncio.gather(*(studio.drop_children() for studio in self.studios.values()), return_exceptions=True)
        await self.janus.close()

    def ports(self) -> list[int]:
        """The ports that are given out."""
        return [port for studio in self.studios.values() for port in studio.ports]

    def disk_of(self, room_pk: int) -> RoomDisk:
        """A room's way to the disk: the same as long as the room lives."""
        return self.disks.setdefault(room_pk, RoomDisk.of(room_pk))

    def may_record(self, disk: RoomDisk) -> bool:
        """Whether a room is recorded: there is space, and its own folders answer."""
        return not self.disk.shut and not disk.lane.hangs

    # --- Janus' session -----------------------------------------------------------------------------------------

    async def _tend_forever(self) -> None:
        """Connect, tend, and again when Janus is lost."""
        while True:
            try:
                await self._connect()
                await self._tend()
            except JanusGone as error:
                self._away(error)
            except FAILURES as error:
                log.warning("a round failed: %s %s", type(error).__name__, error)
            finally:
                self.connected = False
                await self._settle()
            await self._wait(RECONNECT)

    async def _settle(self) -> None:
        """Rooms end what they are at; a step that is cut off in the middle would leave processes behind."""
        if self._steps:
            _done, left = await asyncio.wait(self._steps.values(), timeout=SETTLE)
            for task in left:
                task.cancel()

    def _away(self, error: JanusGone) -> None:
        """Said once; it is tried again several times a second."""
        if not self._told_away:
            log.warning("Janus is away: %s", error)
        self._told_away = True

    async def _load(self) -> None:
        while not self._stopping.is_set():
            try:
                await self.kept.load()
                break
            except (RedisError, OSError) as error:
                log.warning("Redis is away: %s", error)
                await self._wait(1.0)
        for pk, built in self.kept.rooms.items():
            run = built.get("run")
            self.disk_of(pk).run = run if isinstance(run, int) else None

    async def _connect(self) -> None:
        """A session: the old one with all that is in it, or a new one and everything anew."""
        await self.janus.close()
        self.janus = self._new_janus()
        if await self.janus.open(self.kept.session):
            await self._claimed()
        else:
            await self._start_over()
        self.check_room = await bridge.create(self.janus, "check", settings.JANUS_ADMIN_KEY, None)
        self.connected, self._told_away = True, False
        self._probe_at = 0.0

    async def _claimed(self) -> None:
        log.info("claimed session %s with %s rooms", self.kept.session, len(self.kept.rooms))
        for pk, built in list(self.kept.rooms.items()):
            if pk not in self.studios:
                await self._restore(pk, built)
        for handle in self.kept.of("check"):
            await self.let_go(handle)
        fairness.trust(self)
        self._deep_at = 0.0

    async def _restore(self, pk: int, built: dict[str, Any]) -> None:
        """A room that an earlier supervisor built; one of which nothing sensible was kept is built anew."""
        disk = self.disk_of(pk)
        try:
            self.studios[pk] = Studio.restore(pk, built, self.ports, recording=self.may_record(disk), disk=disk)
        except (KeyError, TypeError, ValueError) as error:
            log.error("room %s is built anew, what was kept of it is not readable: %s", pk, error)
            self.rebuilt.add(pk)
            await self.kept.drop_room(pk)

    async def _start_over(self) -> None:
        """Whatever was built is gone: its ffmpegs too, for the packets' numbers start anew."""
        self.rebuilt |= self.studios.keys() | self.kept.rooms.keys()
        studios, self.studios = list(self.studios.values()), {}
        await asyncio.gather(*(studio.drop_children() for studio in studios), return_exceptions=True)
        await bridge.sweep(self.janus, settings.JANUS_ADMIN_KEY)
        await mountpoint.sweep(self.janus, settings.JANUS_ADMIN_KEY)
        await self.kept.start_over(self.janus.session)
        log.info("new session %s; %s rooms to build again", self.janus.session, len(self.rebuilt))

    # --- wanted state ---------------------------------------------------------------------------------------------

    async def _tend(self) -> None:
        """Compare and mend until Janus is gone."""
        while True:
            if self.janus.gone.is_set():
                raise JanusGone("connection lost")
            self.changed.clear()
            await self._round()
            await self._wait(ROUND)

    async def _wait(self, seconds: float) -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                gone = asyncio.ensure_future(self.janus.gone.wait()) if self.connected else None
                changed = asyncio.ensure_future(self.changed.wait())
                try:
                    await asyncio.wait([task for task in (gone, changed) if task], return_when="FIRST_COMPLETED")
                finally:
                    changed.cancel()
                    if gone:
                        gone.cancel()

    async def _round(self) -> None:
        deep = time.monotonic() - self._deep_at > DEEP_ROUND
        try:
            self.wanted = await in_thread(wanted.load)
        except DatabaseError as error:
            log.warning("the database is away, rooms go on as they are: %s", type(error).__name__)
        else:
            if deep:
                self._begin("memory", self._sweep_memory)
        if deep:
            self._deep_at = time.monotonic()
        self._begin("rights", lambda: rights.put_out(self))
        self._begin("places", lambda: fairness.end_overdue(self))
        for pk in self.wanted.keys() | self.studios.keys():
            self._begin(f"room {pk}", lambda pk=pk: self._tend_room(pk, deep))  # type: ignore[misc]
        await asyncio.wait(self._steps.values(), timeout=ROUND)
        if time.monotonic() - self._probe_at > EVERY:
            self._probe_at = 0.0 if self.disk.shut else time.monotonic()  # again as soon as there is room
            self.start(self._probe())

    def _begin(self, what: str, work: Callable[[], Awaitable[object]]) -> None:
        """Start a part of a round, side by side with the others. One that is still at the last is left to it."""
        if what not in self._steps:
            self._steps[what] = asyncio.create_task(self._step(what, work), name=what)
            self._steps[what].add_done_callback(lambda _done: self._steps.pop(what, None))

    async def _step(self, what: str, work: Callable[[], Awaitable[object]]) -> None:
        """Whatever a part raises keeps no other from anything. A lost Janus is for `_tend_forever`."""
        try:
            await work()
        except JanusGone:
            self.janus.gone.set()
        except FAILURES as error:
            log.warning("%s: %s %s", what, type(error).__name__, error)
        except Exception as error:
            await loops.item_failed("media-rooms", what, error)

    async def _sweep_memory(self) -> None:
        live = self.wanted.keys() | self.studios.keys()
        paused = [pk for pk, studio in self.studios.items() if not studio.recording]
        await self._memory.run(lambda: window.sweep(live, paused))
        for pk in set(await self._memory.run(track_memory.rooms)) - live:
            await self._step(f"tracks of room {pk}", lambda pk=pk: clear_tracks(pk, self._left))  # type: ignore[misc]

    async def _tend_room(self, pk: int, deep: bool) -> None:
        """Bring one room in order."""
        room, studio = self.wanted.get(pk), self.studios.get(pk)
        if room is None and studio is not None:
            await reconcile.take_down(self, studio)
        elif room is not None and studio is None:
            await reconcile.build(self, room)
        elif room is not None and studio is not None:
            await reconcile.mend(self, room, studio, deep)

    async def remove_seat(self, studio: Studio, seat_pk: int) -> None:
        """A seat's microphone ends. The caller holds the studio."""
        await reconcile.remove_seat(self, studio, seat_pk)

    async def let_go(self, handle: Handle) -> None:
        """A handle that is not needed any more."""
        await reconcile.let_go(self, handle)

    async def lost(self, handle: Handle) -> None:
        """Somebody's connection ended by itself."""
        await events.lost(self, handle)

    # --- Redis ------------------------------------------------------------------------------------------------------

    async def publish(self, channel: str, message: dict[str, Any]) -> None:
        """Tell rooms; lost when Redis is away, as everything that is only true for a moment."""
        try:
            await redis_keys.within(self.redis.publish(channel, json.dumps(message, separators=(",", ":"))))
        except (RedisError, OSError) as error:
            log.warning("not published: %s", error)

    async def _beat(self) -> None:
        """A sign of life each second, and the state written again after Redis was away."""
        while True:
            alive = {
                "at": time.time(),
                "pid": os.getpid(),
                "janus": self.connected,
                "rooms": len(self.studios),
                "near": len(self.kept.of("listen")),
            }
            try:
                await redis_keys.within(
                    self.redis.set(bus.key(redis_keys.HEARTBEAT), json.dumps(alive), ex=HEARTBEAT_TTL)
                )
                if self.connected:
                    await self.kept.repair()
            except (RedisError, OSError) as error:
                log.warning("no heartbeat: %s", error)
            await asyncio.sleep(1)

    async def _probe(self) -> None:
        result = {"ok": False, "why": self.disk.why} if self.disk.shut else await probe(self.janus)
        with suppress(RedisError, OSError):
            await redis_keys.within(self.redis.set(bus.key(redis_keys.PROBE), json.dumps(result), ex=KEPT))

    async def _take_requests(self) -> None:
        while True:
            try:
                taken = await redis_keys.within(
                    self.redis.blpop([bus.key(redis_keys.REQUESTS)], timeout=5), 5 + redis_keys.PATIENCE
                )
            except (RedisError, OSError) as error:
                log.warning("requests are not heard: %s", error)
                await asyncio.sleep(0.5)
                continue
            if taken is not None:
                try:
                    self.start(self._serve(verbs.Request(json.loads(taken[1]))))
                except Exception as error:  # it is none
                    await loops.item_failed("media-requests", "a request", error)

    async def _serve(self, request: verbs.Request) -> None:
        """Serve one request and answer it; one that nobody waits for any more is dropped."""
        lock = self._lines.setdefault(request.line, asyncio.Lock())
        async with lock:
            if time.time() > request.until and request.verb != "gone":
                return
            answer = await verbs.answer(self, request)
        if request.process:
            await self.publish(redis_keys.reply_channel(request.process), {"id": request.id, **answer})

    def start(self, work: Coroutine[Any, Any, object]) -> None:
        """Do something beside the rounds."""
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._done)

    def _done(self, task: asyncio.Task[Any]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            log.warning("%s: %s %s", task.get_coro(), type(error).__name__, error)
