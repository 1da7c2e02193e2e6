"""How live captions are written now, in Redis: per room for its pages, in all for operators and for offline work.

Everything expires by itself, so that a process that died is not believed for long.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Sequence
from typing import Any, cast

from redis.exceptions import RedisError

from core import bus
from rooms.wire.events import CaptionsLevel

log = logging.getLogger(__name__)

ROOM_SECONDS = 15  # for which a room's state is believed
BUSY_SECONDS = 30  # for which offline transcription yields after somebody spoke in a captioned room
_BUSY = "captions:busy"


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
