"""How live captions are written now, in Redis: per room for its pages, in all for operators and for offline work.

Everything expires by itself, so that a process that died is not believed for long.
"""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Collection, Sequence
from typing import Any, cast

from redis.exceptions import RedisError

from core import bus
from rooms.wire.events import CaptionsLevel

log = logging.getLogger(__name__)

ROOM_SECONDS = 15  # for which a room's state is believed
BUSY_SECONDS = 30  # for which offline transcription yields after somebody spoke in a captioned room
PROCESS_SECONDS = 10  # for which a process is believed to run
_BUSY = "captions:busy"
_PROCESSES = "captions:processes"


def _room_key(room_pk: int) -> str:
    return bus.key(f"captions:room:{room_pk}")


def set_room_state(room_pk: int, state: CaptionsLevel, without: Sequence[str] = ()) -> None:
    """Say how a room's captions are written; `without` are the handles of people whose words are left out for lack of
    time. To be said again within ROOM_SECONDS."""
    text = json.dumps({"state": state, "without": list(without)})
    try:
        bus.client().set(_room_key(room_pk), text, ex=ROOM_SECONDS)
    except RedisError as error:
        log.warning("state of captions of room %s is not said: %s", room_pk, error)


def room_state(room_pk: int) -> tuple[CaptionsLevel, list[str]]:
    """Return the state of a room's captions and the handles of people left out; "off" where no process says anything,
    or Redis is away."""
    try:
        text = cast(Any, bus.client().get(_room_key(room_pk)))
    except RedisError:
        return "off", []
    found = json.loads(text) if text else {}
    return found.get("state", "off"), found.get("without", [])


def processes(worker: str, dead: Collection[str]) -> int:
    """Note that this process runs, and return how many do; 1 where Redis is away. `dead` are known to have ended."""
    now, name = time.time(), bus.key(_PROCESSES)
    pipe = bus.client().pipeline(transaction=False)
    pipe.zadd(name, {worker: now})
    if dead:
        pipe.zrem(name, *dead)
    pipe.zremrangebyscore(name, 0, now - PROCESS_SECONDS)
    pipe.zcard(name)
    try:
        return max(1, int(pipe.execute()[-1]))
    except RedisError as error:
        log.warning("other processes are not known: %s", error)
        return 1


def set_busy() -> None:
    """Say that somebody is talking in a captioned room."""
    try:
        bus.client().set(bus.key(_BUSY), "1", ex=BUSY_SECONDS)
    except RedisError as error:
        log.warning("that captions are busy is not said: %s", error)


def is_busy() -> bool:
    """Whether somebody talked in a captioned room lately; false where Redis is away."""
    try:
        return bool(bus.client().exists(bus.key(_BUSY)))
    except RedisError:
        return False
