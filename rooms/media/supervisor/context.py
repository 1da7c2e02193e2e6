"""State and services that the parts of the supervisor share, so that none of them needs the whole of it."""

from __future__ import annotations

import asyncio
import json
import logging
from collections import Counter
from collections.abc import Coroutine
from dataclasses import dataclass, field
from typing import Any

from django.conf import settings
from redis.exceptions import RedisError

from core import bus
from rooms.media import redis_keys
from rooms.media.ffmpeg.ports import NoPort
from rooms.media.janus.bridge import Bridge
from rooms.media.janus.client import Janus, JanusError
from rooms.media.supervisor.disk import Disk
from rooms.media.supervisor.room_disk import RoomDisk
from rooms.media.supervisor.state import SupervisorState
from rooms.media.supervisor.studio import Studio
from rooms.media.supervisor.wanted import WantedRoom

log = logging.getLogger(__name__)

FAILURES = (JanusError, TimeoutError, OSError, NoPort, RuntimeError)  # tried again in the next round


@dataclass
class Context:
    """One a supervisor; used from its event loop only."""

    redis: Any
    janus: Janus  # the one that is connected now; each connection has a new one
    state: SupervisorState
    changed: asyncio.Event  # something may differ from what is wanted: compare at once
    disk: Disk
    connected: bool = False  # to Janus, with everything claimed or swept
    studios: dict[int, Studio] = field(default_factory=dict)
    room_disks: dict[int, RoomDisk] = field(default_factory=dict)
    wanted: dict[int, WantedRoom] = field(default_factory=dict)
    check_room: Bridge | None = None
    arriving: Counter[str] = field(default_factory=Counter)  # near listeners whose place is being made, by client
    rebuilt: set[int] = field(default_factory=set)  # rooms that Janus lost: who is in them connects anew
    tasks: set[asyncio.Task[Any]] = field(default_factory=set)  # started by `start` and not done

    @classmethod
    def create(cls) -> Context:
        """Not connected to Janus yet: until then every request to it raises JanusGone."""
        redis, changed = bus.connect(), asyncio.Event()
        janus = Janus(settings.JANUS_WS_URL, settings.JANUS_API_SECRET, lambda _event: None)
        return cls(redis, janus, SupervisorState(redis), changed, Disk(redis, changed))

    def ports(self) -> list[int]:
        """The ports that are given out."""
        return [port for studio in self.studios.values() for port in studio.ports]

    def room_disk(self, room_pk: int) -> RoomDisk:
        """A room's way to the disk: the same as long as the room lives."""
        return self.room_disks.setdefault(room_pk, RoomDisk.of(room_pk))

    def may_record(self, disk: RoomDisk) -> bool:
        """Whether a room is recorded: there is space, and its own folders answer."""
        return not self.disk.shut and not disk.lane.hangs

    async def publish(self, channel: str, message: dict[str, Any]) -> None:
        """Send a message to the web processes; lost when Redis is away, as everything that is true for a moment."""
        try:
            await redis_keys.within(self.redis.publish(channel, json.dumps(message, separators=(",", ":"))))
        except (RedisError, OSError) as error:
            log.warning("not published: %s", error)

    def start(self, work: Coroutine[Any, Any, object]) -> None:
        """Run something beside the rounds; what it raises is logged."""
        task = asyncio.create_task(work)
        self.tasks.add(task)
        task.add_done_callback(self._log_result)

    def _log_result(self, task: asyncio.Task[Any]) -> None:
        self.tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            log.warning("%s: %s %s", task.get_coro(), type(error).__name__, error)
