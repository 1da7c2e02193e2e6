"""Handshakes of rooms' WebSockets: person and room, as a guest or as staff who listen in, then `rooms.live.socket`.

Close codes: 4400 unreadable frames, 4403 may not enter, 4404 no such room; clients reconnect after 4408 (too slow),
4503 (server error) and, later, 4429 (too many open).
"""

from __future__ import annotations

import logging
import time
from collections.abc import Mapping
from typing import Any

from django.conf import settings
from django.utils import translation

from core import quotas
from core.client_address import address_of_scope, counted_as
from core.refusals import NOTHING_MORE
from core.threads import in_thread
from people.standing import NOBODY, Standing
from rooms.live import doorway
from rooms.live.hub import hub
from rooms.live.socket import Receive, RoomSocket, Send
from rooms.live.staff_room_socket import StaffRoomSocket
from rooms.models import Room
from rooms.rules.identity import (
    Who,
    arrival_of_cookies,
    cookies_of,
    headers_of,
    language_of,
    new_conn,
    nobody_of_cookies,
    origin_allowed,
)
from rooms.rules.refusals import RoomRefused, as_error
from rooms.wire.events import encode

log = logging.getLogger(__name__)

CLOSE_FOR = {"unknown_room": 4404, "unavailable": 4503, "too_many": 4429}


async def room_socket(scope: dict[str, Any], receive: Receive, send: Send) -> None:
    """The ASGI application for `/ws/rooms/<slug>/`."""
    await receive()  # websocket.connect
    headers = headers_of(scope)
    if not origin_allowed(headers):
        await send({"type": "websocket.close", "code": 4403})
        return
    handshake = Handshake(scope, send, headers)
    try:
        async with doorway.handshake_turn(hub().scripts, handshake.address, handshake.session):
            socket = await handshake.enter()
    except RoomRefused as refused:
        await handshake.refuse(refused.code, refused.more)
    except Exception:
        # The database is being restarted: the client gets `unavailable` and reconnects.
        log.exception("a socket could not be let in")
        await handshake.refuse("unavailable")
    else:
        await socket.run(receive)
    finally:
        handshake.release()


class Handshake:
    """One handshake: who comes to which room, and what has been done for them."""

    def __init__(self, scope: dict[str, Any], send: Send, headers: dict[str, str]) -> None:
        self.scope, self.send, self.headers = scope, send, headers
        self.slug: str = scope["url_route"]["kwargs"]["slug"]
        self.cookies = cookies_of(headers)
        self.session = self.cookies.get(settings.SESSION_COOKIE_NAME, "")
        self.client = address_of_scope(scope, headers)
        self.address = counted_as(self.client)
        self.as_staff = doorway.query_field(scope, "staff") == "1"
        self.lease: quotas.Lease | None = None

    async def enter(self) -> RoomSocket:
        """Identify the person and let the socket enter the room; it accepts the connection when it runs. Raises
        RoomRefused."""
        since = time.monotonic()
        if hub().closing:
            raise RoomRefused("unavailable")
        hub().start()
        known = hub().feed_of(self.slug)
        if known is not None and not self.session:
            who, standing, room_pk = nobody_of_cookies(self.cookies), NOBODY, known.room_pk
        elif known is not None:
            who, standing = await hub().door.identify(self.cookies)
            room_pk = known.room_pk
        else:
            who, standing, room_pk = await in_thread(identify, self.slug, self.cookies)
        self.lease = await doorway.lease_socket(hub().scripts, who, self.address, self.session)
        conn = new_conn(who.session, doorway.query_field(self.scope, "page"), as_staff=self.as_staff)
        kind = StaffRoomSocket if self.as_staff else RoomSocket
        language = language_of(self.headers, self.cookies, who)
        socket = kind(self.send, who, room_pk, self.slug, language, self.address, conn, self.client)
        code = "" if self.as_staff else doorway.query_field(self.scope, "by")
        await socket.enter(standing, since, code)
        return socket

    async def refuse(self, code: str, more: Mapping[str, str] = NOTHING_MORE) -> None:
        """Accept, send the reason, close: closing before accepting would give a bare 403."""
        with translation.override(language_of(self.headers, self.cookies, Who(None, ""))):
            text = encode({"error": as_error(code, more=more)})
        await self.send({"type": "websocket.accept"})
        await self.send({"type": "websocket.send", "text": text})
        await self.send({"type": "websocket.close", "code": CLOSE_FOR.get(code, 4403)})

    def release(self) -> None:
        if self.lease is not None:
            self.lease.release()


async def unknown_address(scope: dict[str, Any], receive: Receive, send: Send) -> None:
    """The ASGI application for every other address: refuse it; Channels would fail with a traceback."""
    await receive()  # websocket.connect
    await send({"type": "websocket.close", "code": 4404})


def identify(slug: str, cookies: dict[str, str]) -> tuple[Who, Standing, int]:
    """Identify the person of a handshake, with their standing, and the room: a query for each. Raises unknown_room."""
    who, standing = arrival_of_cookies(cookies)
    room_pk = Room.objects.filter(slug=slug).values_list("pk", flat=True).first()
    if room_pk is None:
        raise RoomRefused("unknown_room")
    return who, standing, room_pk
