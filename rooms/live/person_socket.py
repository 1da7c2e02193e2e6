"""The WebSocket of a person's pages outside of rooms: how many messages they have not read, and nothing else.

On a room's page the room's socket carries the same. Close codes: 4400 flooded, 4401 not signed in, 4403 may not (any
more); clients reconnect after 4408 (too slow), 4503 (server error) and, later, 4429 (too many open).
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from typing import Any

from autobahn.exception import Disconnected
from django.conf import settings

from core.client_address import address_of_scope, counted_as
from core.threads import in_thread
from people.models import User
from people.standing import standing_of, why_not_enter
from rooms.live import doorway
from rooms.live.frames import Pace
from rooms.live.hub import Hub, hub
from rooms.live.outlet import Outlet, abort
from rooms.live.send_queue import NO_ROOM, SendQueue
from rooms.live.socket import Receive, Send
from rooms.rules.identity import Who, cookies_of, headers_of, new_conn, origin_allowed, who_of_cookies
from rooms.rules.refusals import RoomRefused
from social.wire import encode, unread_messages

log = logging.getLogger(__name__)

CLOSE_FOR = {"not_signed_in": 4401, "unavailable": 4503, "too_many": 4429}
FRAMES_A_SECOND, FRAMES_AT_ONCE = 0.2, 10  # clients have nothing to say: a few frames are ignored, a flood is not


SignIn = Callable[[dict[str, str]], tuple[Who, User]]


async def person_socket(scope: dict[str, Any], receive: Receive, send: Send) -> None:
    """The ASGI application for `/ws/me/`."""
    await serve(scope, receive, send, sign_in, PersonSocket)


async def serve(
    scope: dict[str, Any], receive: Receive, send: Send, sign_in: SignIn, socket: type[PersonSocket]
) -> None:
    """Shake hands for a socket outside of rooms, and serve it. `sign_in` identifies the person by the cookies, or
    raises RoomRefused."""
    await receive()  # websocket.connect
    headers = headers_of(scope)
    if not origin_allowed(headers):
        await send({"type": "websocket.close", "code": 4403})
        return
    cookies = cookies_of(headers)
    address, session = counted_as(address_of_scope(scope, headers)), cookies.get(settings.SESSION_COOKIE_NAME, "")
    try:
        async with doorway.handshake_turn(hub().scripts, address, session, doorway.OF_PAGES):
            who, user = await in_thread(sign_in, cookies)
            lease = await doorway.lease_socket(hub().scripts, who, address, session, doorway.OF_PAGES)
    except RoomRefused as refused:
        await _refuse_handshake(send, refused.code)
        return
    except Exception:
        log.exception("a person's socket could not be let in")
        await _refuse_handshake(send, "unavailable")
        return
    try:
        await send({"type": "websocket.accept"})
        await socket(send, who, user).run(receive)
    finally:
        lease.release()


def sign_in(cookies: dict[str, str]) -> tuple[Who, User]:
    """Identify the person of a handshake. Raises not_signed_in, or the code of a closed or suspended account."""
    who = who_of_cookies(cookies)
    if who.user is None:
        raise RoomRefused("not_signed_in")
    if code := why_not_enter(standing_of(who.user)):
        raise RoomRefused(code)
    return who, who.user


async def _refuse_handshake(send: Send, code: str) -> None:
    """Accept and close: closing before accepting would give a bare 403, and no code."""
    await send({"type": "websocket.accept"})
    await send({"type": "websocket.close", "code": CLOSE_FOR.get(code, 4403)})


class PersonSocket:
    """One open socket."""

    as_staff = False

    def __init__(self, send: Send, who: Who, user: User) -> None:
        self.send, self.user_pk = send, user.pk
        self.hub: Hub = hub()
        conn = new_conn(who.session, as_staff=self.as_staff)
        self.send_queue = SendQueue(
            NO_ROOM, who.key, conn, user.pk, lambda: self._end(4408), lambda _code: self._end(4403)
        )
        self.pace = Pace(FRAMES_A_SECOND, FRAMES_AT_ONCE)
        self.ending: asyncio.Task[None] | None = None

    async def run(self, receive: Receive) -> None:
        """Serve the socket until it closes."""
        writer: asyncio.Task[None] | None = None
        try:
            await self._join()
            writer = self.hub.spawn(self._write(), f"write-{self.send_queue.conn}")
            self.send_queue.resync()  # the number as it is now comes first
            while (await receive())["type"] == "websocket.receive":
                if not self.pace.allows():
                    self._end(4400)
        finally:
            if writer is not None:
                writer.cancel()
            if self.ending is not None:
                self.ending.cancel()
            await asyncio.shield(self.hub.spawn(self.hub.leave_as_person(self.send_queue), "leave-person"))
            self.send_queue.let_go()

    async def _join(self) -> None:
        await self.hub.join_as_person(self.user_pk, self.send_queue)

    async def _write(self) -> None:
        """Write the queue to the socket, as fast as the client reads."""
        outlet, send_queue = Outlet(self.send), self.send_queue
        try:
            while self.ending is None:
                await send_queue.waiting.wait()
                if send_queue.needs_snapshot:
                    send_queue.needs_snapshot = False  # asked for again while it is read, it is read again
                    await self._begin()
                text = send_queue.take()
                if text is not None and self.ending is None:
                    await self.send({"type": "websocket.send", "text": text})
                    await outlet.wait_open()
        except Disconnected:
            return  # the client left during a write; `run` cleans up
        except Exception:
            # The number could not be read: the client reconnects and gets it then.
            log.exception("writing to a socket of person %s failed", self.user_pk)
            self._end(4503)

    async def _begin(self) -> None:
        """Queue the number of unread messages before everything else; older ones are left out."""
        message = (await in_thread(unread_messages, [self.user_pk]))[self.user_pk]
        self.send_queue.snapshot(encode(message), message["at"])

    def _end(self, code: int) -> None:
        """Close the socket; cut the connection if the peer does not answer that."""
        if self.ending is None:
            self.send_queue.shut()
            self.ending = self.hub.spawn(self._close(code), f"close-{self.send_queue.conn}")

    async def _close(self, code: int) -> None:
        await self.send({"type": "websocket.close", "code": code})
        await self.hub.leave_as_person(self.send_queue)
        await asyncio.sleep(1.0)
        abort(self.send)
