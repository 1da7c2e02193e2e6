"""State for a restarted supervisor, written through to Redis: the session, rooms, handles and their owners."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any, TypeVar

from redis.asyncio import Redis
from redis.exceptions import RedisError

from core import bus
from rooms.media import redis_keys
from rooms.media.redis_keys import within
from rooms.rules.identity import page_of

E = TypeVar("E")

log = logging.getLogger(__name__)


@dataclass
class Handle:
    """A handle in Janus and whose it is. `kind` is speak, listen or check; `seat` is 0 for who is not on stage.

    `counted` and `address` are the keys under which it is counted; `up`: its connection came about; `cut_off`: packets
    of its microphone ceased while it talked.
    """

    id: int
    kind: str
    room: int
    conn: str
    who: str
    seat: int = 0
    since: float = 0.0
    candidates: int = 0
    counted: str = ""
    address: str = ""
    up: bool = True
    cut_off: bool = False

    @classmethod
    def read(cls, kept: dict[str, Any]) -> Handle:
        """Read a handle from its JSON object. Raises TypeError."""
        handle = cls(**kept)
        for number in (handle.id, handle.room, handle.seat, handle.candidates, handle.since):
            if not isinstance(number, int | float):
                raise TypeError("no number")
        for text in (handle.kind, handle.conn, handle.who, handle.counted, handle.address):
            if not isinstance(text, str):
                raise TypeError("no text")
        return handle

    @property
    def page(self) -> str:
        """The page that the connection belongs to."""
        return page_of(self.conn)


class SupervisorState:
    """State written through to Redis; after Redis was away, `repair` writes all of it again."""

    def __init__(self, redis: Redis) -> None:
        self.redis: Any = redis
        self.session = 0
        self.rooms: dict[int, dict[str, Any]] = {}
        self.handles: dict[int, Handle] = {}
        self._behind = False

    async def load(self) -> None:
        """Read what an earlier supervisor left, but for entries that are none of ours. Raises RedisError, OSError."""
        session = str(await within(self.redis.get(bus.key(redis_keys.SESSION))) or "")
        rooms = await within(self.redis.hgetall(bus.key(redis_keys.ROOMS)))
        handles = await within(self.redis.hgetall(bus.key(redis_keys.HANDLES)))
        self.session = int(session) if session.isdecimal() else 0
        self.rooms = _readable("room", rooms, lambda built: dict(built))
        self.handles = _readable("handle", handles, Handle.read)

    async def start_over(self, session: int) -> None:
        """Forget everything of the old session and record the new one."""
        self.session = session
        self.rooms.clear()
        self.handles.clear()
        await self._write(self._rewrite)

    async def save_room(self, pk: int, built: dict[str, Any]) -> None:
        """Record what was built for a room."""
        self.rooms[pk] = built
        await self._write(lambda: self.redis.hset(bus.key(redis_keys.ROOMS), str(pk), json.dumps(built)))

    async def drop_room(self, pk: int) -> None:
        """Forget a room."""
        self.rooms.pop(pk, None)
        await self._write(lambda: self.redis.hdel(bus.key(redis_keys.ROOMS), str(pk)))

    async def save_handle(self, handle: Handle) -> None:
        """Record a handle."""
        self.handles[handle.id] = handle
        text = json.dumps(asdict(handle))
        await self._write(lambda: self.redis.hset(bus.key(redis_keys.HANDLES), str(handle.id), text))

    async def drop_handle(self, handle_id: int) -> Handle | None:
        """Forget a handle and return it; None where there was none."""
        handle = self.handles.pop(handle_id, None)
        if handle is not None:
            await self._write(lambda: self.redis.hdel(bus.key(redis_keys.HANDLES), str(handle_id)))
        return handle

    def of(
        self, kind: str, *, room: int | None = None, conn: str | None = None, seat: int | None = None
    ) -> list[Handle]:
        """Handles of a kind, narrowed down."""
        return [
            handle
            for handle in self.handles.values()
            if handle.kind == kind
            and (room is None or handle.room == room)
            and (conn is None or handle.conn == conn)
            and (seat is None or handle.seat == seat)
        ]

    async def repair(self) -> None:
        """Write all of it again after Redis was away, or came back empty."""
        try:
            if self._behind or await within(self.redis.get(bus.key(redis_keys.SESSION))) != str(self.session):
                await within(self._rewrite())
                self._behind = False
        except (RedisError, OSError) as error:
            log.warning("state of sound is not kept: %s", error)
            self._behind = True

    async def _write(self, write: Any) -> None:
        try:
            await within(write())
        except (RedisError, OSError) as error:
            log.warning("state of sound is not kept: %s", error)
            self._behind = True

    async def _rewrite(self) -> None:
        pipe = self.redis.pipeline(transaction=True)
        pipe.set(bus.key(redis_keys.SESSION), str(self.session))
        pipe.delete(bus.key(redis_keys.ROOMS), bus.key(redis_keys.HANDLES))
        for pk, built in self.rooms.items():
            pipe.hset(bus.key(redis_keys.ROOMS), str(pk), json.dumps(built))
        for handle in self.handles.values():
            pipe.hset(bus.key(redis_keys.HANDLES), str(handle.id), json.dumps(asdict(handle)))
        await pipe.execute()


def _readable(what: str, texts: dict[str, str], read: Callable[[Any], E]) -> dict[int, E]:
    """Read entries by number. One that cannot be read is logged and left out: a supervisor must start."""
    found = {}
    for number, text in texts.items():
        try:
            found[int(number)] = read(json.loads(text))
        except (ValueError, TypeError, RecursionError) as error:
            log.error("%s %s of an earlier supervisor is not readable: %s", what, number, error)
    return found
