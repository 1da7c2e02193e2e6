"""Room on the disk where recordings go, looked at each second by the media supervisor.

Recording pauses before the disk is full: PostgreSQL and Redis often write to the same one, and a room lives without a
recording but not without them. ffmpeg says nothing of a full disk and writes empty pieces, so nobody else would notice.
"""

from __future__ import annotations

import asyncio
import json
import logging
import time
from collections import deque
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import DatabaseError
from redis.exceptions import RedisError

from core import bus, loops
from core.lane import DiskHangs, Lane
from core.threads import in_thread
from people.notify import tell_operators
from rooms.actions import set_recording_paused
from rooms.media import redis_keys
from rooms.media.redis_keys import within
from rooms.media.supervisor.disk_gate import Gate, Telling
from rooms.recording.finishing.space import MB, Space, measure
from rooms.rules.refusals import RoomRefused

log = logging.getLogger(__name__)

EVERY = 1.0  # seconds between looks
PATIENCE = 2.0  # seconds a look may take: a disk that does not answer (NFS) is as good as full
KEPT = 10  # seconds a look counts for readiness
AGAIN = 60.0  # seconds until a mail that could not be sent is tried again


async def tell_room(room_pk: int, paused: bool) -> None:
    """Everybody in a room is told that nothing is kept, or that it is again. What fails is tried next round."""
    try:
        await in_thread(set_recording_paused, room_pk, paused)
    except (DatabaseError, RoomRefused) as error:
        log.warning("room %s is not told of its recording: %s", room_pk, type(error).__name__)


class Disk:
    """The supervisor's eye on the disk; `changed` is set when the gate moves. Operators get a mail an incident."""

    def __init__(self, redis: Any, changed: asyncio.Event) -> None:
        self.redis = redis
        self.changed = changed
        self.gate = Gate(settings.RECORDINGS_RESERVE_MB * MB)
        self.space = Space(0)
        self._lane = Lane("RECORDINGS_DIR")
        self._telling: Telling | None = None
        self._letters: deque[tuple[str, dict[str, Any]]] = deque()

    @property
    def shut(self) -> bool:
        """Nothing is recorded now."""
        return self.gate.shut

    @property
    def why(self) -> str:
        """For operators: what is the matter."""
        if self.space.trouble:
            return f"RECORDINGS_DIR: {self.space.trouble}"
        free, reserve = self.space.free // MB, self.gate.reserve // MB
        return f"{free} MB free, {reserve} MB are left to the databases (RECORDINGS_RESERVE_MB)"

    async def watch(self) -> None:
        """Until cancelled. Without a look nothing would be paused, nor go on."""
        while True:
            await asyncio.sleep(EVERY)
            await self.look()

    async def look(self) -> None:
        """One look, and what follows from it."""
        self.space = await self._measure()
        if self.gate.take(self.space, time.monotonic()):
            if self.shut:
                log.error("recording is paused: %s", self.why)
            else:
                log.warning("recording goes on: %s MB free", self.space.free // MB)
            self.changed.set()
        try:
            await self._tell()
        except (RedisError, OSError) as error:
            log.warning("how full the disk is could not be told: %s %s", type(error).__name__, error)

    async def _measure(self) -> Space:
        """What does not come back is waited for in the next look: never two threads that hang."""
        try:
            return await self._lane.run(lambda: measure(Path(settings.RECORDINGS_DIR)), within=PATIENCE)
        except DiskHangs:
            return Space(0, "it does not answer")

    async def _tell(self) -> None:
        state = {"paused": self.shut, "why": self.why, "free": self.space.free}
        await within(self.redis.set(bus.key(redis_keys.DISK), json.dumps(state), ex=KEPT))
        if self._telling is None:  # an earlier supervisor may have told already
            self._telling = Telling(bool(await within(self.redis.exists(bus.key(redis_keys.DISK_TOLD)))))
        if self._telling.due(self.shut, time.monotonic()):
            at = datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC")
            name = "recording_paused" if self.shut else "recording_resumed"
            self._letters.append((name, {"at": at, "why": self.why, "free": self.space.free // MB}))

    async def write_letters(self) -> None:
        """Until cancelled, beside the looks: the oldest mail that is due. On a disk that is full it has to wait."""
        while True:
            await asyncio.sleep(EVERY)
            if not self._letters:
                continue
            try:
                await self._send(*self._letters[0])
            except (OSError, DatabaseError) as error:  # every error of smtplib is an OSError
                log.warning("operators could not be told: %s %s", type(error).__name__, error)
                await asyncio.sleep(AGAIN)
            except Exception as error:
                await loops.item_failed("media-letters", "a mail to operators", error)
                await asyncio.sleep(AGAIN)

    async def _send(self, name: str, context: dict[str, Any]) -> None:
        await in_thread(tell_operators, f"rooms/email/{name}.txt", **context)
        self._letters.popleft()
        try:
            if name == "recording_paused":
                await within(self.redis.set(bus.key(redis_keys.DISK_TOLD), "yes"))
            else:
                await within(self.redis.delete(bus.key(redis_keys.DISK_TOLD)))
        except (RedisError, OSError) as error:  # a successor tells once more
            log.warning("that operators were told is not kept: %s", error)
