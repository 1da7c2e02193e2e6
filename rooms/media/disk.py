"""Room on the disk where recordings go, looked at each second by the media supervisor.

Recording pauses before the disk is full: PostgreSQL and Redis often write to the same one, and a room lives without a
recording but not without them. ffmpeg says nothing of a full disk and writes empty pieces, so nobody else would notice.
"""

from __future__ import annotations

import asyncio
import json
import logging
import os
import time
from collections import deque
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import DatabaseError
from redis.exceptions import RedisError

from rooms.actions import set_recording_paused
from rooms.media import bus
from rooms.operators import tell_operators
from rooms.refusals import RoomRefused
from rooms.threads import in_thread

log = logging.getLogger(__name__)

EVERY = 1.0  # seconds between looks
KEPT = 10  # seconds a look counts for readiness
ROOMY = 1.25  # times the reserve must be free before recording goes on: or it would stop again at once
CALM = 3  # looks in a row that must find it
AGAIN = 60.0  # seconds until a mail that could not be sent is tried again
MB = 1024 * 1024
_TRIAL = b"\0" * 4096


@dataclass(frozen=True)
class Space:
    """One look: bytes that may still be written, and what a trial write failed with ("" when it worked)."""

    free: int
    trouble: str = ""


def measure(folder: Path) -> Space:
    """Look, and write a block: quotas, inodes and disks that turned read-only show only then."""
    path = folder / ".space"
    try:
        found = os.statvfs(folder)
        try:
            path.write_bytes(_TRIAL)
        finally:
            with suppress(FileNotFoundError):
                path.unlink()
    except OSError as error:
        return Space(0, error.strerror or type(error).__name__)
    return Space(found.f_bavail * found.f_frsize)


async def tell_room(room_pk: int, paused: bool) -> None:
    """Everybody in a room is told that nothing is kept, or that it is again. What fails is tried next round."""
    try:
        await in_thread(set_recording_paused, room_pk, paused)
    except (DatabaseError, RoomRefused) as error:
        log.warning("room %s is not told of its recording: %s", room_pk, type(error).__name__)


class Gate:
    """When recording pauses and goes on: shut at once, opened after a few calm looks at more than was needed. Pure."""

    def __init__(self, reserve: int) -> None:
        self.reserve = reserve
        self.shut = False
        self._calm = 0

    def take(self, space: Space) -> bool:
        """One look; True when the gate was shut or opened by it."""
        if not self.shut:
            self.shut = bool(space.trouble) or space.free < self.reserve
            self._calm = 0
            return self.shut
        roomy = not space.trouble and space.free >= self.reserve * ROOMY
        self._calm = self._calm + 1 if roomy else 0
        self.shut = self._calm < CALM
        return not self.shut


class Disk:
    """The supervisor's eye on the disk; `changed` is set when the gate moves. Operators get a mail an incident."""

    def __init__(self, redis: Any, changed: asyncio.Event) -> None:
        self.redis = redis
        self.changed = changed
        self.gate = Gate(settings.RECORDINGS_RESERVE_MB * MB)
        self.space = Space(0)
        self._told: bool | None = None
        self._letters: deque[tuple[str, dict[str, Any]]] = deque()
        self._not_before = 0.0

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
        """Until cancelled, whatever goes wrong: without a look nothing would be paused, nor go on."""
        while True:
            await asyncio.sleep(EVERY)
            try:
                await self.look()
            except Exception:
                log.exception("a look at the disk failed")

    async def look(self) -> None:
        """One look, and what follows from it."""
        self.space = await asyncio.to_thread(measure, Path(settings.RECORDINGS_DIR))
        if self.gate.take(self.space):
            if self.shut:
                log.error("recording is paused: %s", self.why)
            else:
                log.warning("recording goes on: %s MB free", self.space.free // MB)
            self.changed.set()
        try:
            await self._tell()
        except (RedisError, OSError) as error:
            log.warning("how full the disk is could not be told: %s %s", type(error).__name__, error)

    async def _tell(self) -> None:
        state = {"paused": self.shut, "why": self.why, "free": self.space.free}
        await self.redis.set(bus.key(bus.DISK), json.dumps(state), ex=KEPT)
        if self._told is None:  # an earlier supervisor may have told already
            self._told = bool(await self.redis.exists(bus.key(bus.DISK_TOLD)))
        if self._told != self.shut:
            self._told = self.shut
            at = datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC")
            name = "recording_paused" if self.shut else "recording_resumed"
            self._letters.append((name, {"at": at, "why": self.why, "free": self.space.free // MB}))
        if self._letters and time.monotonic() >= self._not_before:
            await self._send(*self._letters[0])

    async def _send(self, name: str, context: dict[str, Any]) -> None:
        """The oldest mail that is due. Written on a disk that is full it has to wait."""
        self._not_before = time.monotonic() + AGAIN
        try:
            await in_thread(tell_operators, name, **context)
        except (OSError, DatabaseError) as error:  # every error of smtplib is an OSError
            log.warning("operators could not be told: %s %s", type(error).__name__, error)
            return
        self._letters.popleft()
        self._not_before = 0.0
        if name == "recording_paused":
            await self.redis.set(bus.key(bus.DISK_TOLD), "yes")
        else:
            await self.redis.delete(bus.key(bus.DISK_TOLD))
