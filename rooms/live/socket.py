"""One open WebSocket of a room, as plain ASGI: a Channels consumer per listener would cost too much.

Snapshot → live events out, verbs in. Everything leaves through one queue, in order. Before it comes
`rooms.live.handshake`.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from contextlib import suppress
from functools import partial
from typing import Any

from autobahn.exception import Disconnected
from django.utils import translation
from redis.exceptions import RedisError

from core.threads import in_thread
from people.models import User
from people.standing import Standing
from rooms import actions, channels, presence
from rooms.live import doorway
from rooms.live.admitting import Arrival, Entry, admit_nobody
from rooms.live.feed import Feed, Shared
from rooms.live.frames import BadFrame, Frame, Pace, parse
from rooms.live.hub import Hub, hub
from rooms.live.outlet import Outlet, abort, frame_of
from rooms.live.restart import SOON, retry_within
from rooms.live.send_queue import SendQueue
from rooms.live.verbs.call import Call
from rooms.live.verbs.table import VERBS
from rooms.media import ask as media
from rooms.models import Room
from rooms.rules.identity import Who, page_of
from rooms.rules.refusals import RoomRefused, as_error
from rooms.rules.staff import with_staff_rights
from rooms.wire.events import encode
from rooms.wire.snapshot import Base, You, encoded, you

log = logging.getLogger(__name__)

Receive = Callable[[], Awaitable[dict[str, Any]]]
Send = Callable[[dict[str, Any]], Awaitable[None]]

MOST_UNREADABLE = 2  # unreadable frames, with which the socket is closed
MOST_TOO_FAST = 300  # frames beyond the rate limit, with which the socket is closed
MOST_WAITING = 64  # verbs waiting in a lane
DRAIN_SECONDS = 2.0  # for verbs that arrived before the connection closed


class RoomSocket:
    """One open socket."""

    def __init__(
        self, send: Send, who: Who, room_pk: int, slug: str, language: str, address: str, conn: str, client: str = ""
    ) -> None:
        self.send, self.who, self.room_pk, self.slug, self.language = send, who, room_pk, slug, language
        self.conn = conn
        self.hub: Hub = hub()
        user_pk = who.user.pk if who.user else None
        self.send_queue = SendQueue(room_pk, who.key, self.conn, user_pk, self._close_slow, self._close_refused)
        self.send_queue.on_restart = self._close_for_restart
        self.feed: Feed | None = None
        self.address, self.client = address, client or address
        self.pace, self.shared_pace = Pace(), doorway.pace_of(doorway.client_key(who, address))
        self.unreadable = self.too_fast = 0
        self.entered = False
        self.used_sound = self.closing = self.leaving = self.restarting = False
        self.departure: asyncio.Task[None] | None = None
        self.refused_for = ""  # the code for which this socket was closed, once its rights ended
        self.lanes: dict[str, asyncio.Queue[Frame]] = {}
        self.tasks: list[asyncio.Task[None]] = []

    async def run(self, receive: Receive) -> None:
        """Accept the connection of a socket that has entered, and serve it until it closes. The answer to the handshake
        and the snapshot leave in one write."""
        self._task(self._write(), "write")
        try:
            await self.send({"type": "websocket.accept"})
            while (message := await receive())["type"] == "websocket.receive":
                if not self.closing and not self._frame(message):
                    self._close_with(4400)
            await self._drain()
        except Exception:
            log.exception("socket of room %s failed", self.room_pk)
            await self.send({"type": "websocket.close", "code": 4503})
        finally:
            for task in self.tasks:
                task.cancel()
            self.tasks.clear()
            await self._depart()

    def _task(self, work: Any, name: str) -> None:
        self.tasks.append(self.hub.spawn(work, f"{name}-{self.conn}"))

    # --- coming and going -------------------------------------------------------------------------------------------

    async def _drain(self) -> None:
        """Finish verbs that arrived before the connection closed: a page that is left releases its microphone last."""
        lane = self.lanes.get("room")
        if lane is None or self.closing:
            return
        with suppress(TimeoutError):
            async with asyncio.timeout(DRAIN_SECONDS):
                await lane.join()

    async def enter(self, standing: Standing, since: float, by: str = "") -> None:
        """Join the hub, check the right to enter and queue the snapshot; `standing` was read after `since`, and `by` is
        the link by which the person came. Raises the refusal of `rooms.live.admitting`.

        The socket joins first, so that no change of rights and no message escapes between the check and the join; it
        sends nothing before the snapshot.
        """
        try:
            feed = self.feed = await self.hub.join(self.room_pk, self.send_queue)
            self.hub.slugs[self.slug] = self.room_pk
            shared = await feed.shared()
            sides, personal = await self._admit(shared, standing)
            if by:
                await in_thread(actions.note_arrival, by, self.who, self.client)
            if sides:
                await self.hub.set_sides(self.send_queue, sides)
                personal = await self._you(shared.base)  # what was told before the channel was heard is in it
            first_page = await self._enter_presence()
            self.send_queue.snapshot(self._text(shared.base, personal), shared.base.seq)
            self.hub.check_if_changed(self.send_queue, min(since, shared.read_at))
            if first_page:
                feed.count_due = True
                await self._publish_connected(shared.base, True)
            if self.who.user is not None and self.who.user.pk == shared.base.row.host_id:
                await self._host_came(shared.base.row)
            # Last of all: a page that is closed before the answer to the handshake does not learn why.
            self.entered = True
            if self.refused_for:
                raise RoomRefused(self.refused_for)
        except BaseException:
            await self._depart()
            raise

    async def _admit(self, shared: Shared, standing: Standing) -> Entry:
        """Check the right to enter; return narrower channels and the own part of the snapshot."""
        if self.who.user is None:
            return frozenset(), admit_nobody(shared, self.who)
        return await self.hub.door.admit(Arrival(shared.base.row, self.who, standing))

    async def _enter_presence(self) -> bool:
        """Enter the room's presence. Returns whether this is the person's first page here."""
        try:
            return bool(await presence.enter(self.hub.scripts, self.room_pk, [(self.who.key, self.conn)]))
        except (RedisError, OSError) as error:
            log.warning("presence is not known, Redis is away: %s", error)
            return False

    async def _host_came(self, row: Room) -> None:
        if row.host_lost_at:
            await in_thread(actions.host_back, self.room_pk)

    async def _depart(self) -> None:
        """Leave the room, once, in a task of the hub: this task is cancelled when the peer closes meanwhile."""
        if self.departure is None:
            self.departure = self.hub.spawn(self._leave(), f"depart-{self.conn}")
        await asyncio.shield(self.departure)
        self.send_queue.let_go()

    async def _leave(self) -> None:
        feed = self.feed
        if feed is None:
            await self.hub.quit(self.send_queue)
            return
        await self.hub.leave(feed, self.send_queue)
        try:
            if await presence.leave(self.hub.scripts, self.room_pk, self.who.key, self.conn):
                feed.count_due = True
                feed.forget_base()
                if self.who.user is not None:
                    await self._last_page_left(feed, self.who.user)
            if self.used_sound and not self.restarting:  # after a restart the page comes back, and hears on meanwhile
                await presence.linger(self.hub.redis, self.room_pk, self.who.key, page_of(self.conn))
                await media.ask("gone", self.room_pk, self.who.key, self.conn)
        except (RedisError, OSError, media.MediaRefused) as error:
            # Presence expires, and the supervisor drops handles whose WebRTC connection ended.
            log.warning("could not say that a socket closed: %s", error)
        except Exception:
            log.exception("a socket of room %s closed badly", self.room_pk)

    async def _last_page_left(self, feed: Feed, user: User) -> None:
        """Handle the close of an account's last page: leave seat and queue after a sign-out, the queue after leaving by
        the button; else keep both a while."""
        signed_out = self.refused_for == "signed_out"
        if signed_out:
            await self._unless_over(actions.leave_seat, user)
        if signed_out or self.leaving:
            await self._unless_over(partial(actions.lower_hand, leaving=True), user)
        if not signed_out:
            await self._publish_connected(await feed.base(), False)

    async def _unless_over(self, leave: Callable[[int, User], None], user: User) -> None:
        try:
            await in_thread(leave, self.room_pk, user)
        except RoomRefused as refused:  # not on stage, or the room is over
            log.debug("room %s, %s: %s", self.room_pk, user.pk, refused.code)

    async def _publish_connected(self, shared: Base, connected: bool) -> None:
        """Publish, as a lossy message, that a person on stage lost or regained the connection."""
        handle = self.who.handle
        if any(seat["user"] == handle for seat in shared.seats):
            text = encode({"type": "connected", "user": handle, "connected": connected})
            await self.hub.redis.publish(channels.room_channel(self.room_pk), text)

    async def _snapshot(self) -> None:
        """Queue a fresh snapshot before everything else."""
        if self.feed is not None:
            shared = await self.feed.base(fresh=True)
            self.send_queue.snapshot(self._text(shared, await self._you(shared)), shared.seq)

    def _text(self, shared: Base, personal: You) -> str:
        return encoded(shared, personal, retry_within(self.hub))

    async def _you(self, shared: Base) -> You:
        if self.who.user is None:
            return you(shared.row, self.who)
        return await in_thread(lambda: you(shared.row, with_staff_rights(self.who)))

    # --- out --------------------------------------------------------------------------------------------------------

    async def _write(self) -> None:
        """Write the queue to the socket, as fast as the client reads. Nothing else writes until the socket closes."""
        try:
            await self._write_loop()
        except Disconnected:
            return  # the client left during a write; `run` cleans up
        except Exception:
            # A snapshot could not be read: the client reconnects and gets one then.
            log.exception("writing to a socket of room %s failed", self.room_pk)
            self._close_with(4503)

    async def _write_loop(self) -> None:
        outlet = Outlet(self.send)
        send_queue = self.send_queue
        while True:
            await send_queue.wait(outlet)
            if send_queue.needs_snapshot and send_queue.started:
                send_queue.needs_snapshot = False  # asked for again while it is read, it is read again
                await self._snapshot()
            text = send_queue.take() if send_queue.started else None
            if text is None:
                send_queue.waiting.clear()
                continue
            if not outlet.write(frame_of(text)):
                await self.send({"type": "websocket.send", "text": text})
            await outlet.wait_open()

    def _reply(self, body: dict[str, Any]) -> None:
        self.send_queue.put(encode(body))

    def _refuse(self, code: str, id_: int | None, fields: dict[str, str] | None = None) -> None:
        with translation.override(self.language):
            body: dict[str, Any] = {"error": as_error(code, fields)}
        self._reply(body if id_ is None else {"re": id_, **body})

    # --- in ---------------------------------------------------------------------------------------------------------

    def _frame(self, message: dict[str, Any]) -> bool:
        """Handle one frame; False when the socket must be closed for too many bad ones."""
        if not (self.pace.allows() and self.shared_pace.allows()):
            self.too_fast += 1
            if self.too_fast % 30 == 1:
                self._refuse("too_fast", None)
            return self.too_fast < MOST_TOO_FAST
        try:
            frame = parse(message)
        except BadFrame as bad:
            self._refuse(bad.code, bad.id)
            self.unreadable += bad.code == "bad_frame"
            return self.unreadable < MOST_UNREADABLE
        self._to_lane(VERBS[frame.verb].lane, frame)
        return True

    def _to_lane(self, name: str, frame: Frame) -> None:
        """Queue a verb in its lane, which keeps order. Sound has its own, so that it never delays other verbs."""
        lane = self.lanes.get(name)
        if lane is None:
            lane = self.lanes[name] = asyncio.Queue(MOST_WAITING)
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
                # The database or Redis is being restarted, or there is a bug.
                log.exception("%s in room %s failed", frame.verb, self.room_pk)
                self._refuse("unavailable", frame.id)
            else:
                self._reply({"re": frame.id, "ok": True, **answer})
            finally:
                lane.task_done()

    async def _do(self, frame: Frame) -> dict[str, Any]:
        if self.refused_for:  # frames that waited when the rights ended
            raise RoomRefused(self.refused_for)
        verb = VERBS[frame.verb]
        if verb.limit is not None:
            await verb.limit.acheck(self.hub.redis, self.who.key)
        self.used_sound |= verb.lane == "sound"
        call = Call(
            self.room_pk, self.who, self.conn, frame.args, self.address, self.send_queue.resync, self._will_leave
        )
        return await verb.aperform(call)

    def _will_leave(self) -> None:
        self.leaving = True

    # --- the end ----------------------------------------------------------------------------------------------------

    def _close_with(self, code: int) -> None:
        if not self.closing:
            self.closing = True
            self._task(self._close(code), "close")

    async def _close(self, code: int) -> None:
        await asyncio.sleep(0.05)  # let queued replies go out first
        await self.send({"type": "websocket.close", "code": code})

    def _close_refused(self, code: str) -> None:
        """Send the refusal code and close, because the rights ended; does not wait for the peer."""
        if not self.refused_for and not self.entered:
            self.refused_for = code  # `enter` refuses it
        elif not self.refused_for:
            self.closing, self.refused_for = True, code
            self._refuse(code, None)
            self._task(self._shut(), "close-refused")

    async def _shut(self) -> None:
        await asyncio.sleep(0.05)  # let the reason go out first
        self.send_queue.shut()
        await self.send({"type": "websocket.close", "code": 4403})
        await self._depart()
        await asyncio.sleep(1.0)
        abort(self.send)

    def _close_for_restart(self) -> None:
        """Close with 4503, because this process ends."""
        if not self.closing and self.entered:
            self.closing = self.restarting = True
            with translation.override(self.language):
                self._reply({"error": as_error("unavailable"), "retry_within": SOON})
            self._task(self._end_for_restart(), "close-for-restart")

    async def _end_for_restart(self) -> None:
        await self._close(4503)
        await asyncio.sleep(1.0)
        abort(self.send)

    def _close_slow(self) -> None:
        """Close with 4408, because the queue is full; cut the connection if the peer does not even read that."""
        if not self.closing:
            self.closing = True
            self._task(self._drop(), "drop")

    async def _drop(self) -> None:
        await self.send({"type": "websocket.close", "code": 4408})
        await asyncio.sleep(1.0)
        abort(self.send)
