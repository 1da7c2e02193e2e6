"""Live lists by ticket, answered beside the sockets: a bare ASGI application, because a list costs Django 4 to 7 ms.

The list of a room is read at most every FRESH seconds, by one thread for all who ask meanwhile.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from asgiref.sync import sync_to_async
from django.conf import settings
from django.db import close_old_connections

from core.client_address import address_of_scope, counted_as
from core.throttle import OwnBuckets
from rooms.recording.hls import epochs
from rooms.recording.hls.tickets import read_ticket
from rooms.recording.hls.views import public_window

log = logging.getLogger(__name__)

Receive = Callable[[], Awaitable[Mapping[str, Any]]]
Send = Callable[[Mapping[str, Any]], Awaitable[None]]
Application = Callable[[dict[str, Any], Receive, Send], Awaitable[None]]

FRESH = 0.1  # seconds
MOST = 500  # lists remembered
BEGIN, END = "/hls/", "/live.m3u8"
KEPT = b"public, max-age=1"  # a newest piece is at most so much older for those behind a cache
NEVER_KEPT = b"no-store"


Room = tuple[int, UUID]
"""A room's primary key, and an epoch of it."""

_pool = ThreadPoolExecutor(2, thread_name_prefix="live-lists")  # its own: a disk that hangs holds up no verb


@dataclass(frozen=True)
class Read:
    """A list as it was read; `text` is None before the first piece."""

    is_live: bool
    text: bytes | None
    at: float


class OpenLists:
    """ASGI application in front of another, which answers everything else."""

    def __init__(self, application: Application) -> None:
        self.application = application
        self.read: dict[Room, Read] = {}
        self.reading: dict[Room, asyncio.Task[Read]] = {}
        self.asked = OwnBuckets()

    async def __call__(self, scope: dict[str, Any], receive: Receive, send: Send) -> None:
        path = scope["path"]
        if not (path.startswith(BEGIN) and path.endswith(END)):
            await self.application(scope, receive, send)
            return
        status, text = await self._answer(scope, path)
        await send({"type": "http.response.start", "status": status, "headers": _headers(status, len(text))})
        await send({"type": "http.response.body", "body": b"" if scope["method"] == "HEAD" else text})

    async def _answer(self, scope: dict[str, Any], path: str) -> tuple[int, bytes]:
        if scope["method"] not in ("GET", "HEAD"):
            return 405, b""
        most = settings.HLS_PER_ADDRESS
        if self.asked.take(_client_of(scope), per_minute=most, burst=most):
            return 429, b""
        room = read_ticket(path)
        if room is None:
            return 404, b""
        try:
            read = await self._list_of(room)
        except Exception:
            # The database is being restarted: players ask again.
            log.exception("the live list of room %d could not be read", room[0])
            return 503, b""
        if not read.is_live:
            return 410, b""
        return (503, b"") if read.text is None else (200, read.text)

    async def _list_of(self, room: Room) -> Read:
        """Read the list of a room, by one task for all who wait for it."""
        known = self.read.get(room)
        if known is not None and time.monotonic() - known.at < FRESH:
            return known
        task = self.reading.get(room)
        if task is None:
            task = self.reading[room] = asyncio.create_task(self._read(room))
            task.add_done_callback(lambda _done: self.reading.pop(room, None))
        return await asyncio.shield(task)

    async def _read(self, room: Room) -> Read:
        at = time.monotonic()
        is_live, text = await sync_to_async(_window_of, thread_sensitive=False, executor=_pool)(*room)
        if len(self.read) >= MOST:
            self.read.clear()
        read = self.read[room] = Read(is_live, None if text is None else text.encode(), at)
        return read


def _window_of(room_pk: int, epoch: UUID) -> tuple[bool, str | None]:
    """Return whether the room is live and has this epoch, and its list. Runs in a thread of the pool."""
    close_old_connections()
    try:
        is_live = epochs.is_current(room_pk, epoch)
        if not is_live:  # what is kept may be from before the ticket: the first to come would be told that it is over
            time.sleep(epochs.ASKED_AGAIN)
            is_live = epochs.is_current(room_pk, epoch)
        return is_live, public_window(room_pk, epoch) if is_live else None
    finally:
        close_old_connections()


def _client_of(scope: dict[str, Any]) -> str:
    forwarded = [value.decode("latin1") for name, value in scope["headers"] if name == b"x-forwarded-for"]
    return counted_as(address_of_scope(scope, {"x-forwarded-for": ",".join(forwarded)}))


def _headers(status: int, size: int) -> list[tuple[bytes, bytes]]:
    headers = [
        (b"content-type", b"application/vnd.apple.mpegurl"),
        (b"content-length", str(size).encode()),
        (b"cache-control", KEPT if status == 200 else NEVER_KEPT),
        (b"x-content-type-options", b"nosniff"),
        (b"referrer-policy", b"no-referrer"),
    ]
    if status in (429, 503):
        headers.append((b"retry-after", b"1"))
    if status == 405:
        headers.append((b"allow", b"GET, HEAD"))
    return headers
