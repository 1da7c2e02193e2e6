"""Handshakes of rooms' WebSockets: person and room, as a guest or as staff who listen in, then `rooms.live.socket`.

Close codes: 4400 unreadable frames, 4403 may not enter, 4404 no such room; clients reconnect after 4408 (too slow),
4503 (server error) and, later, 4429 (too many open).
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any

from django.conf import settings
from django.utils import translation

from core.client_address import address_of_scope, counted_as
from core.refusals import NOTHING_MORE
from core.threads import in_thread
from rooms import actions
from rooms.live import doorway
from rooms.live.hub import hub
from rooms.live.socket import Receive, RoomSocket, Send
from rooms.live.staff_room_socket import StaffRoomSocket
from rooms.models import Room
from rooms.rules import permissions
from rooms.rules.admission import sides_of
from rooms.rules.identity import (
    Who,
    cookies_of,
    headers_of,
    language_of,
    new_conn,
    origin_allowed,
    who_of_cookies,
)
from rooms.rules.refusals import RoomRefused, as_error, refuse
from rooms.rules.staff import may_hear_staff_channel
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
    cookies = cookies_of(headers)
    client, session = address_of_scope(scope, headers), cookies.get(settings.SESSION_COOKIE_NAME, "")
    address = counted_as(client)
    try:
        async with doorway.handshake_turn(hub().redis, address, session):
            as_staff = doorway.query_field(scope, "staff") == "1"
            who, room, sides = await in_thread(resolve, scope["url_route"]["kwargs"]["slug"], cookies, as_staff)
            if (code := doorway.query_field(scope, "by")) and not as_staff:
                await in_thread(actions.note_arrival, code, who, client)
            lease = await doorway.lease_socket(hub().redis, who, address, session)
    except RoomRefused as refused:
        await _refuse_handshake(send, refused.code, language_of(headers, cookies, Who(None, "")), refused.more)
        return
    except Exception:
        # The database is being restarted: the client gets `unavailable` and reconnects.
        log.exception("a socket could not be let in")
        await _refuse_handshake(send, "unavailable", language_of(headers, cookies, Who(None, "")))
        return
    try:
        await send({"type": "websocket.accept"})
        conn = new_conn(who.session, doorway.query_field(scope, "page"), as_staff=as_staff)
        socket = StaffRoomSocket if as_staff else RoomSocket
        await socket(send, who, room, language_of(headers, cookies, who), address, conn, sides).run(receive)
    finally:
        lease.release()


async def unknown_address(scope: dict[str, Any], receive: Receive, send: Send) -> None:
    """The ASGI application for every other address: refuse it; Channels would fail with a traceback."""
    await receive()  # websocket.connect
    await send({"type": "websocket.close", "code": 4404})


def resolve(slug: str, cookies: dict[str, str], as_staff: bool = False) -> tuple[Who, Room, frozenset[str]]:
    """Identify person, room and narrower channels of a handshake. Raises unknown_room, the refusal of
    `permissions.may_enter`, or not_open_yet or room_cancelled where a prepared room never began; `as_staff` the codes
    of `actions.admit_staff`."""
    who = who_of_cookies(cookies)
    room = Room.objects.select_related("host").filter(slug=slug).first()
    if room is None:
        raise RoomRefused("unknown_room")
    hears_staff = who.user is not None and who.user.is_staff and bool(may_hear_staff_channel([who.session]))
    if as_staff:
        if who.user is None:
            raise RoomRefused("not_signed_in")
        actions.admit_staff(room, who.user, who.session)
        return who, room, frozenset({"staff"} if hears_staff else ())
    facts = actions.admit(room, who)
    if room.started_at is None:
        refuse(permissions.live(room.status))
    return who, room, sides_of(facts, hears_staff=hears_staff)


async def _refuse_handshake(send: Send, code: str, language: str, more: Mapping[str, str] = NOTHING_MORE) -> None:
    """Accept, send the reason, close: closing before accepting would give a bare 403."""
    with translation.override(language):
        text = encode({"error": as_error(code, more=more)})
    await send({"type": "websocket.accept"})
    await send({"type": "websocket.send", "text": text})
    await send({"type": "websocket.close", "code": CLOSE_FOR.get(code, 4403)})
