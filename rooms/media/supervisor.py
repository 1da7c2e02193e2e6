"""Makes Janus and ffmpeg match the database, again after any of them dies. It alone owns Janus' session.

Every second, and at once when a room changed, wanted state is compared with what is built. What it knows is kept in
Redis, so that a restarted supervisor claims the session again and people talk on. A step that fails is tried again in
the next round; nothing here ends the process but a signal.
"""

from __future__ import annotations

import asyncio
import json
import logging
import os
import time
from collections import Counter
from contextlib import suppress
from typing import Any
from weakref import WeakValueDictionary

from django.conf import settings
from django.db import DatabaseError
from redis.exceptions import RedisError

from rooms.media import audience, bus, fairness, rights, serving, stage, wanted
from rooms.media.client import Janus, JanusError, JanusGone
from rooms.media.disk import Disk, tell_room
from rooms.media.probe import EVERY, KEPT, probe
from rooms.media.serving import FAILURES
from rooms.media.state import Handle, Kept
from rooms.media.studio import Studio
from rooms.recording import window
from rooms.recording.tasks import finish_recording
from rooms.threads import in_thread

log = logging.getLogger(__name__)

ROUND = 1.0  # seconds between comparisons
DEEP_ROUND = 5.0  # seconds between looks at what Janus itself says
HEARTBEAT_TTL = 10
RECONNECT = 0.25


class Supervisor:
    """One a node. `run` returns when `stop` was called."""

    def __init__(self) -> None:
        self.redis: Any = bus.connect()
        self.kept = Kept(self.redis)
        self.janus = Janus(settings.JANUS_WS_URL, settings.JANUS_API_SECRET, self.on_event)
        self.studios: dict[int, Studio] = {}
        self.wanted: dict[int, wanted.WantedRoom] = {}
        self.check_room: stage.Bridge | None = None
        self.changed = asyncio.Event()
        self.arriving: Counter[str] = Counter()  # near listeners whose place is being made, by client
        self.disk = Disk(self.redis, self.changed)
        self._stopping = asyncio.Event()
        self.connected = self._told_away = False
        self._rebuilt: set[int] = set()
        # A line's lock lives as long as somebody stands in the line.
        self._lines: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()
        self._tasks: set[asyncio.Task[Any]] = set()
        self._deep_at = self._probe_at = 0.0

    def stop(self) -> None:
        """End at the next chance: recorders write their last piece, Janus keeps the session for a while."""
        self._stopping.set()
        self.changed.set()

    async def run(self) -> None:
        """Until stopped."""
        await self._load()
        await self.disk.look()
        loops = [self._beat(), bus.hear_changes(self.redis, self.changed), self._take_requests()]
        loops += [self.disk.watch(), self.disk.write_letters()]
        tasks = [asyncio.create_task(loop) for loop in loops]
        while not self._stopping.is_set():
            try:
                await self._connect()
                await self._tend()
            except JanusGone as error:
                self._away(error)
            except FAILURES as error:
                log.warning("a round failed: %s %s", type(error).__name__, error)
            self.connected = False
            await self._wait(RECONNECT)
        for task in [*tasks, *self._tasks]:
            task.cancel()
        await asyncio.gather(*(studio.drop_children() for studio in self.studios.values()), return_exceptions=True)
        await self.janus.close()

    # --- Janus' session -----------------------------------------------------------------------------------------

    def _away(self, error: JanusGone) -> None:
        """Said once; it is tried again several times a second."""
        if not self._told_away:
            log.warning("Janus is away: %s", error)
        self._told_away = True

    async def _load(self) -> None:
        while not self._stopping.is_set():
            try:
                await self.kept.load()
                return
            except (RedisError, OSError) as error:
                log.warning("Redis is away: %s", error)
                await self._wait(1.0)

    async def _connect(self) -> None:
        """A session: the old one with all that is in it, or a new one and everything anew."""
        await self.janus.close()
        self.janus = Janus(settings.JANUS_WS_URL, settings.JANUS_API_SECRET, self.on_event)
        if await self.janus.open(self.kept.session):
            await self._claimed()
        else:
            await self._start_over()
        self.check_room = await stage.create(self.janus, "check", settings.JANUS_ADMIN_KEY, None)
        self.connected, self._told_away = True, False
        self._probe_at = 0.0

    async def _claimed(self) -> None:
        log.info("claimed session %s with %s rooms", self.kept.session, len(self.kept.rooms))
        for pk, built in list(self.kept.rooms.items()):
            if pk not in self.studios:
                self.studios[pk] = Studio.restore(pk, built, recording=not self.disk.shut)
        for handle in self.kept.of("check"):
            await self.let_go(handle)
        fairness.trust(self)
        self._deep_at = 0.0

    async def _start_over(self) -> None:
        """Whatever was built is gone: its ffmpegs too, for the packets' numbers start anew."""
        self._rebuilt |= self.studios.keys() | self.kept.rooms.keys()
        studios, self.studios = list(self.studios.values()), {}
        await asyncio.gather(*(studio.drop_children() for studio in studios), return_exceptions=True)
        await stage.sweep(self.janus, settings.JANUS_ADMIN_KEY)
        await audience.sweep(self.janus, settings.JANUS_ADMIN_KEY)
        await self.kept.start_over(self.janus.session)
        log.info("new session %s; %s rooms to build again", self.janus.session, len(self._rebuilt))

    # --- wanted state ---------------------------------------------------------------------------------------------

    async def _tend(self) -> None:
        """Compare and mend until Janus is gone or we are stopped."""
        while not self._stopping.is_set():
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
                paused = [pk for pk, studio in self.studios.items() if not studio.recording]
                await asyncio.to_thread(window.sweep, self.wanted.keys() | self.studios.keys(), paused)
        if deep:
            self._deep_at = time.monotonic()
        await rights.put_out(self)
        await fairness.end_overdue(self)
        rooms = self.wanted.keys() | self.studios.keys()
        await asyncio.gather(*(self._tend_room(pk, deep) for pk in rooms))
        if time.monotonic() - self._probe_at > EVERY:
            self._probe_at = 0.0 if self.disk.shut else time.monotonic()  # again as soon as there is room
            self._start(self._probe())

    async def _tend_room(self, pk: int, deep: bool) -> None:
        """Bring one room in order. What fails is logged and tried again next round; a lost Janus is for `run`."""
        try:
            room, studio = self.wanted.get(pk), self.studios.get(pk)
            if room is None and studio is not None:
                await self._take_down(studio)
            elif room is not None and studio is None:
                await self._build(room)
            elif room is not None and studio is not None:
                await self._mend(room, studio, deep)
        except JanusGone:
            self.janus.gone.set()
        except FAILURES as error:
            log.warning("room %s: %s %s", pk, type(error).__name__, error)

    async def _build(self, room: wanted.WantedRoom) -> None:
        taken = [port for studio in self.studios.values() for port in studio.ports]
        studio = await Studio.build(self.janus, room.pk, taken, recording=not self.disk.shut)
        self.studios[room.pk] = studio
        await self.kept.keep_room(room.pk, studio.as_dict())
        log.info("room %s: built", room.pk)
        if room.pk in self._rebuilt:
            self._rebuilt.discard(room.pk)
            await self.publish(bus.room_channel(room.pk), {"type": "media_restarted"})

    async def _take_down(self, studio: Studio) -> None:
        async with studio.lock:
            self.studios.pop(studio.pk, None)
            try:
                try:
                    await self._let_all_go(studio)
                finally:
                    await studio.take_down(self.janus)
            except FAILURES:  # the children ended; what Janus may still have of it is tried again
                self.studios[studio.pk] = studio
                raise
            await self.kept.drop_room(studio.pk)
        self._rebuilt.discard(studio.pk)
        log.info("room %s: taken down", studio.pk)
        await asyncio.to_thread(finish_recording.delay, studio.pk)

    async def _mend(self, room: wanted.WantedRoom, studio: Studio, deep: bool) -> None:
        async with studio.lock:
            await self._obey(room, studio)  # first: who was muted while no supervisor lived is not heard again
            if deep:  # before anything is asked of a room that Janus may have lost
                if not await self._compare(room, studio):
                    return
                await self._obey(room, studio)
            await studio.set_recording(not self.disk.shut)
            await studio.ensure()
            await studio.forward(self.janus)
            if room.told_paused == studio.recording:
                await tell_room(room.pk, not studio.recording)
            if await studio.follow_tracks(self.janus):
                await self.kept.keep_room(room.pk, studio.as_dict())
            if deep:
                await studio.check_level(self.janus)

    async def _obey(self, room: wanted.WantedRoom, studio: Studio) -> None:
        """Who sits speaks, from the page that holds the microphone, and is muted, as the database says."""
        for handle in self.kept.of("speak", room=room.pk):
            seat = room.seats.get(handle.seat)
            if seat is None or (seat.page != handle.page and not await in_thread(wanted.holds, handle)):
                await self.remove_seat(studio, handle.seat)
            elif studio.muted.get(seat.pk) != seat.muted:
                await studio.set_muted(self.janus, seat)

    async def _compare(self, room: wanted.WantedRoom, studio: Studio) -> bool:
        """What Janus says is so counts: strangers are put out, who is not there any more is forgotten. False when the
        room itself is not there any more."""
        try:
            inside = await stage.participants(self.janus, studio.bridge)
        except JanusError as error:
            log.warning("room %s is gone from Janus: %s", room.pk, error)
            await self._abandon(studio)
            return False
        speaking = {handle.seat: handle for handle in self.kept.of("speak", room=room.pk)}
        for name, muted in inside.items():
            seat_pk = stage.seat_pk(name)
            if seat_pk in speaking:
                studio.muted[seat_pk] = muted
            else:
                await stage.remove(self.janus, studio.bridge, name, None)
        for seat_pk, handle in speaking.items():
            if stage.seat_id(seat_pk) not in inside and time.time() - handle.since > DEEP_ROUND:
                await self.lost(handle)
        return True

    async def _abandon(self, studio: Studio) -> None:
        """Forget a room that Janus lost, so that the next round builds it again."""
        self.studios.pop(studio.pk, None)
        self._rebuilt.add(studio.pk)
        try:
            await self._let_all_go(studio)
        finally:
            await studio.drop_children()
        await self.kept.drop_room(studio.pk)
        self.changed.set()

    # --- who is connected -------------------------------------------------------------------------------------------

    async def remove_seat(self, studio: Studio, seat_pk: int) -> None:
        """A seat's microphone: silent at once, out, let go. The caller holds the studio."""
        for handle in self.kept.of("speak", room=studio.pk, seat=seat_pk):
            await self.kept.drop_handle(handle.id)  # first, or its hang-up looks like an accident
            await stage.remove(self.janus, studio.bridge, stage.seat_id(seat_pk), handle.id)
        studio.muted.pop(seat_pk, None)

    async def let_go(self, handle: Handle) -> None:
        """A handle that is not needed any more."""
        await self.kept.drop_handle(handle.id)
        await self.janus.detach(handle.id)

    async def _let_all_go(self, studio: Studio) -> None:
        for handle in [*self.kept.of("speak", room=studio.pk), *self.kept.of("listen", room=studio.pk)]:
            await self.let_go(handle)

    def on_event(self, event: dict[str, Any]) -> None:
        """What Janus tells unasked. It must not wait: work is done beside it."""
        data = event.get("plugindata", {}).get("data", {})
        if event["janus"] in ("hangup", "detached"):
            handle = self.kept.handles.get(int(event.get("sender", 0)))
            if handle is not None:
                self._start(self.lost(handle))
        elif data.get("audiobridge") in ("talking", "stopped-talking"):
            self._start(self._talking(int(event.get("sender", 0)), data))
        elif event["janus"] == "webrtcup":
            self._start(fairness.connected(self, int(event.get("sender", 0))))
        elif event["janus"] == "timeout":
            self.janus.gone.set()

    async def lost(self, handle: Handle) -> None:
        """Somebody's connection ended by itself. Who spoke is told: their page connects again."""
        with suppress(JanusGone, TimeoutError):
            await self.let_go(handle)
        if handle.kind != "speak":
            return
        room = self.wanted.get(handle.room)
        seat = room.seats.get(handle.seat) if room else None
        if room is not None and seat is not None and not self.kept.of("speak", room=room.pk, seat=seat.pk):
            lost = {"type": "mic_lost", "room": room.slug, "page": handle.page}
            await self.publish(bus.person_channel(seat.user_pk), lost)

    async def _talking(self, heard_by: int, data: dict[str, Any]) -> None:
        """Who talks, everybody in the room may know. Every handle in the room is told; our agent's word counts."""
        number = str(data.get("room", "")).rpartition("-")[2]
        pk = int(number) if number.isdigit() else 0
        room, studio = self.wanted.get(pk), self.studios.get(pk)
        seat_pk = stage.seat_pk(str(data.get("id", "")))
        if room is None or studio is None or studio.bridge.handle != heard_by or seat_pk not in room.seats:
            return
        talking = data["audiobridge"] == "talking"
        message = {"type": "talking", "user": room.seats[seat_pk].handle, "talking": talking}
        await self.publish(bus.room_channel(room.pk), message)

    # --- Redis ------------------------------------------------------------------------------------------------------

    async def publish(self, channel: str, message: dict[str, Any]) -> None:
        """Tell rooms; lost when Redis is away, as everything that is only true for a moment."""
        try:
            await self.redis.publish(channel, json.dumps(message, separators=(",", ":")))
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
                await self.redis.set(bus.key(bus.HEARTBEAT), json.dumps(alive), ex=HEARTBEAT_TTL)
                if self.connected:
                    await self.kept.repair()
            except (RedisError, OSError) as error:
                log.warning("no heartbeat: %s", error)
            await asyncio.sleep(1)

    async def _probe(self) -> None:
        result = {"ok": False, "why": self.disk.why} if self.disk.shut else await probe(self.janus)
        with suppress(RedisError, OSError):
            await self.redis.set(bus.key(bus.PROBE), json.dumps(result), ex=KEPT)

    async def _take_requests(self) -> None:
        while True:
            try:
                taken = await self.redis.blpop([bus.key(bus.REQUESTS)], timeout=5)
                if taken is not None:
                    self._start(self._serve(serving.Request(json.loads(taken[1]))))
            except (RedisError, OSError) as error:
                log.warning("requests are not heard: %s", error)
                await asyncio.sleep(0.5)
            except (ValueError, KeyError, TypeError):
                log.exception("a request that is none")

    async def _serve(self, request: serving.Request) -> None:
        """Serve one request and answer it; one that nobody waits for any more is dropped."""
        lock = self._lines.setdefault(request.line, asyncio.Lock())
        async with lock:
            if time.time() > request.until and request.verb != "gone":
                return
            answer = await serving.answer(self, request)
        if request.process:
            await self.publish(bus.reply_channel(request.process), {"id": request.id, **answer})

    def _start(self, work: Any) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._done)

    def _done(self, task: asyncio.Task[Any]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            log.warning("%s: %s %s", task.get_coro(), type(error).__name__, error)
