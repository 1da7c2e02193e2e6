"""The WebSocket of a room, as a bare ASGI application: a thousand listeners must not cost a consumer each.

Handshake → who and which room → snapshot → live events out, verbs in. Everything leaves through one queue, in order.
Close codes: 4400 garbage, 4403 may not enter, 4404 no such room, 4408 too slow and 4503 our fault: connect again;
4429 too many are open: connect again, later.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any
from urllib.parse import parse_qs

from autobahn.exception import Disconnected
from django.conf import settings
from django.utils import translation
from redis.exceptions import RedisError

from core.client_address import address_of_scope, counted_as
from core.threads import in_thread
from people.models import User
from people.staff_gate import fresh_sessions
from rooms import actions, channels, presence
from rooms.live import doorway
from rooms.live.backpressure import abort, gate_of
from rooms.live.feed import Feed
from rooms.live.frames import BadFrame, Frame, Pace, parse
from rooms.live.hub import Hub, hub
from rooms.live.send_queue import Outlet
from rooms.live.verbs.call import Call
from rooms.live.verbs.table import VERBS
from rooms.media import ask as media
from rooms.models import Room
from rooms.rules.admission import sides_of
from rooms.rules.facts import enter
from rooms.rules.identity import (
    Who,
    cookies_of,
    headers_of,
    language_of,
    new_conn,
    origin_allowed,
    page_of,
    who_of_cookies,
)
from rooms.rules.refusals import RoomRefused, as_error
from rooms.wire.events import encode
from rooms.wire.snapshot import Base, You, compose, you

log = logging.getLogger(__name__)

Receive = Callable[[], Awaitable[dict[str, Any]]]
Send = Callable[[dict[str, Any]], Awaitable[None]]

CLOSE_FOR = {"unknown_room": 4404, "unavailable": 4503, "too_many": 4429}
STRIKES = 2  # frames that cannot be read before the socket is closed
FLOOD = 300  # frames beyond the pace before the socket is closed
WAITING = 64  # verbs that wait for their turn
LAST_WORDS = 2.0  # seconds for verbs that were said before the line closed


async def room_socket(scope: dict[str, Any], receive: Receive, send: Send) -> None:
    """The ASGI application for `/ws/rooms/<slug>/`."""
    await receive()  # websocket.connect
    headers = headers_of(scope)
    if not origin_allowed(headers):
        await send({"type": "websocket.close", "code": 4403})
        return
    cookies = cookies_of(headers)
    address, session = counted_as(address_of_scope(scope, headers)), cookies.get(settings.SESSION_COOKIE_NAME, "")
    try:
        async with doorway.turn(hub().redis, address, session):
            who, room, sides = await in_thread(resolve, scope["url_route"]["kwargs"]["slug"], cookies)
            lease = await doorway.hold(hub().redis, who, address, session)
    except RoomRefused as refused:
        await _turn_away(send, refused.code, language_of(headers, cookies, Who(None, "")))
        return
    except Exception:
        # The database is being restarted: the client is told so, and connects again.
        log.exception("a socket could not be let in")
        await _turn_away(send, "unavailable", language_of(headers, cookies, Who(None, "")))
        return
    try:
        await send({"type": "websocket.accept"})
        conn = new_conn(who.session, page_named(scope))
        await RoomSocket(send, who, room, language_of(headers, cookies, who), address, conn, sides).run(receive)
    finally:
        lease.release()


def page_named(scope: dict[str, Any]) -> str:
    """The name that the page behind this socket gives itself; empty where it gives none."""
    try:
        fields = parse_qs(str(scope.get("query_string", b""), "latin1"), max_num_fields=10)
        return fields.get("page", [""])[0]
    except ValueError:  # more fields than any page of ours sends
        return ""


async def nowhere(scope: dict[str, Any], receive: Receive, send: Send) -> None:
    """The ASGI application for every other address: refused, where Channels would fail with a traceback."""
    await receive()  # websocket.connect
    await send({"type": "websocket.close", "code": 4404})


def resolve(slug: str, cookies: dict[str, str]) -> tuple[Who, Room, frozenset[str]]:
    """Find out who connects to which room, and which narrower channels they hear. Raises unknown_room, or why this
    person may not come in."""
    who = who_of_cookies(cookies)
    room = Room.objects.select_related("host").filter(slug=slug).first()
    if room is None:
        raise RoomRefused("unknown_room")
    facts = enter(room, who)
    fresh_staff = who.user is not None and who.user.is_staff and bool(fresh_sessions([who.session]))
    return who, room, sides_of(facts, fresh_staff=fresh_staff)


async def _turn_away(send: Send, code: str, language: str) -> None:
    """Say why, then close: a close before accepting would be a bare 403."""
    with translation.override(language):
        text = encode({"error": as_error(code)})
    await send({"type": "websocket.accept"})
    await send({"type": "websocket.send", "text": text})
    await send({"type": "websocket.close", "code": CLOSE_FOR.get(code, 4403)})


class RoomSocket:
    """One open socket."""

    def __init__(
        self, send: Send, who: Who, room: Room, language: str, address: str, conn: str, sides: frozenset[str]
    ) -> None:
        self.send, self.who, self.room_pk, self.slug, self.language = send, who, room.pk, room.slug, language
        self.conn = conn
        self.hub: Hub = hub()
        user_pk = who.user.pk if who.user else None
        self.outlet = Outlet(room.pk, who.key, self.conn, user_pk, self._too_slow, self._put_out)
        self.sides = sides
        self.feed: Feed
        self.address = address
        self.pace, self.shared_pace = Pace(), doorway.pace_of(doorway.counted(who, address))
        self.strikes = self.flooded = 0
        self.used_sound = self.closing = False
        self.departure: asyncio.Task[None] | None = None
        self.put_out_for = ""  # the code by which this socket was put out
        self.lanes: dict[str, asyncio.Queue[Frame]] = {}
        self.tasks: list[asyncio.Task[None]] = []

    async def run(self, receive: Receive) -> None:
        """Until the client goes or is sent away."""
        self.feed = await self.hub.join(self.room_pk, self.outlet)
        await self.hub.set_sides(self.outlet, self.sides)
        self._task(self._write(), "write")
        try:
            await self._arrive()
            while (message := await receive())["type"] == "websocket.receive":
                if not self.closing and not self._frame(message):
                    self._close_with(4400)
            await self._last_words()
        except Exception:
            log.exception("socket of room %s failed", self.room_pk)
            await self.send({"type": "websocket.close", "code": 4503})
        finally:
            for task in self.tasks:
                task.cancel()
            await self._depart()

    def _task(self, work: Any, name: str) -> None:
        self.tasks.append(self.hub.spawn(work, f"{name}-{self.conn}"))

    # --- coming and going -------------------------------------------------------------------------------------------

    async def _last_words(self) -> None:
        """Finish what was said before the line closed: the last that a page says may be that it speaks no more."""
        lane = self.lanes.get("room")
        if lane is None or self.closing:
            return
        with suppress(TimeoutError):
            async with asyncio.timeout(LAST_WORDS):
                await lane.join()

    async def _arrive(self) -> None:
        first_page = False
        try:
            first_page = bool(await presence.enter(self.hub.redis, self.room_pk, [(self.who.key, self.conn)]))
        except (RedisError, OSError) as error:
            log.warning("presence is not known, Redis is away: %s", error)
        shared = await self._snapshot()
        if first_page:
            self.feed.count_due = True
            await self._tell_connected(shared, True)
        if self.who.user is not None and self.who.user.pk == shared.row.host_id and shared.row.host_lost_at:
            await in_thread(actions.host_back, self.room_pk)

    async def _depart(self) -> None:
        """Leave the room, once. It is the hub's task: a peer that closes while it is put out ends ours half-way."""
        if self.departure is None:
            self.departure = self.hub.spawn(self._leave(), f"depart-{self.conn}")
        await asyncio.shield(self.departure)

    async def _leave(self) -> None:
        await self.hub.leave(self.feed, self.outlet)
        try:
            if await presence.leave(self.hub.redis, self.room_pk, self.who.key, self.conn):
                self.feed.count_due = True
                self.feed.forget_base()
                if self.who.user is not None:
                    await self._left(self.who.user)
            if self.used_sound:
                await presence.linger(self.hub.redis, self.room_pk, self.who.key, page_of(self.conn))
                await media.ask("gone", self.room_pk, self.who.key, self.conn)
        except (RedisError, OSError, media.MediaRefused) as error:
            # Presence expires by itself, and the supervisor drops what WebRTC hangs up.
            log.warning("could not say that a socket closed: %s", error)
        except Exception:
            log.exception("a socket of room %s closed badly", self.room_pk)

    async def _left(self, user: User) -> None:
        """The last page of an account closed. One that was signed out gives its seat up; others keep it for a while."""
        if self.put_out_for == "signed_out":
            try:
                await in_thread(actions.leave_seat, self.room_pk, user)
            except RoomRefused as refused:
                log.debug("room %s, %s: %s", self.room_pk, user.pk, refused.code)  # not on stage, or the room is over
        else:
            await self._tell_connected(await self.feed.base(), False)

    async def _tell_connected(self, shared: Base, connected: bool) -> None:
        """Lossy: a person on stage lost or regained the connection."""
        handle = self.who.handle
        if any(seat["user"] == handle for seat in shared.seats):
            text = encode({"type": "connected", "user": handle, "connected": connected})
            await self.hub.redis.publish(channels.room_channel(self.room_pk), text)

    async def _snapshot(self, *, fresh: bool = False) -> Base:
        """Queue a snapshot ahead of everything that waits."""
        shared = await self.feed.base(fresh=fresh)
        personal = await self._you(shared)
        self.outlet.snapshot(encode(compose(shared, personal)), shared.seq)
        return shared

    async def _you(self, shared: Base) -> You:
        if self.who.user is None:
            return you(shared.row, self.who)
        return await in_thread(you, shared.row, self.who)

    # --- out --------------------------------------------------------------------------------------------------------

    async def _write(self) -> None:
        """The only one who writes, as fast as the client reads."""
        try:
            await self._write_on()
        except Disconnected:
            return  # the client left while something was on its way; who reads from it says goodbye
        except Exception:
            # A snapshot could not be read: the client connects again, and gets one then.
            log.exception("writing to a socket of room %s failed", self.room_pk)
            self._close_with(4503)

    async def _write_on(self) -> None:
        gate = gate_of(self.send)
        outlet = self.outlet
        while True:
            await outlet.waiting.wait()
            if outlet.needs_snapshot and outlet.started:
                await self._snapshot(fresh=True)
            text = outlet.take() if outlet.started else None
            if text is None:
                outlet.waiting.clear()
                continue
            await self.send({"type": "websocket.send", "text": text})
            await gate.passable()

    def _reply(self, body: dict[str, Any]) -> None:
        self.outlet.put(encode(body))

    def _refuse(self, code: str, id_: int | None, fields: dict[str, str] | None = None) -> None:
        with translation.override(self.language):
            body: dict[str, Any] = {"error": as_error(code, fields)}
        self._reply(body if id_ is None else {"re": id_, **body})

    # --- in ---------------------------------------------------------------------------------------------------------

    def _frame(self, message: dict[str, Any]) -> bool:
        """Take one frame in; False when this client has gone too far."""
        if not (self.pace.allows() and self.shared_pace.allows()):
            self.flooded += 1
            if self.flooded % 30 == 1:
                self._refuse("too_fast", None)
            return self.flooded < FLOOD
        try:
            frame = parse(message)
        except BadFrame as bad:
            self._refuse(bad.code, bad.id)
            self.strikes += bad.code == "bad_frame"
            return self.strikes < STRIKES
        self._to_lane(VERBS[frame.verb].lane, frame)
        return True

    def _to_lane(self, name: str, frame: Frame) -> None:
        """Verbs keep their order; sound has a lane of its own, so that waiting for it holds up nothing else."""
        lane = self.lanes.get(name)
        if lane is None:
            lane = self.lanes[name] = asyncio.Queue(WAITING)
            self._task(self._serve(lane), f"{name}-verbs")
        try:
            lane.put_nowait(frame)
        except asyncio.QueueFull:
            self._refuse("too_fast", frame.id)

    async def _serve(self, lane: asyncio.Queue[Frame]) -> None:
        while True:
            frame = await lane.get()
            try:
                answer = await self._do(frame)
            except RoomRefused as refused:
                self._refuse(refused.code, frame.id, refused.fields)
            except Exception:
                # The database or Redis is being restarted, or we have a bug: the person is told, the log has it.
                log.exception("%s in room %s failed", frame.verb, self.room_pk)
                self._refuse("unavailable", frame.id)
            else:
                self._reply({"re": frame.id, "ok": True, **answer})
            finally:
                lane.task_done()

    async def _do(self, frame: Frame) -> dict[str, Any]:
        verb = VERBS[frame.verb]
        if verb.limit is not None:
            await verb.limit.acheck(self.hub.redis, self.who.key)
        self.used_sound |= verb.lane == "sound"
        call = Call(self.room_pk, self.who, self.conn, frame.args, self.address, self._send_snapshot)
        return await verb.aperform(call)

    async def _send_snapshot(self) -> None:
        await self._snapshot(fresh=True)

    # --- the end ----------------------------------------------------------------------------------------------------

    def _close_with(self, code: int) -> None:
        if not self.closing:
            self.closing = True
            self._task(self._close(code), "close")

    async def _close(self, code: int) -> None:
        await asyncio.sleep(0.05)  # what was said goes out first
        await self.send({"type": "websocket.close", "code": code})

    def _put_out(self, code: str) -> None:
        """Rights are gone: say why, and close; the peer is not asked whether it likes to."""
        if not self.put_out_for:
            self.closing, self.put_out_for = True, code
            self._refuse(code, None)
            self._task(self._shut(), "put-out")

    async def _shut(self) -> None:
        await asyncio.sleep(0.05)  # the reason goes out first
        self.outlet.shut()
        await self.send({"type": "websocket.close", "code": 4403})
        await self._depart()
        await asyncio.sleep(1.0)
        abort(self.send)

    def _too_slow(self) -> None:
        """The queue is full. Say so, and cut the connection if that cannot be said either."""
        if not self.closing:
            self.closing = True
            self._task(self._drop(), "drop")

    async def _drop(self) -> None:
        await self.send({"type": "websocket.close", "code": 4408})
        await asyncio.sleep(1.0)
        abort(self.send)
