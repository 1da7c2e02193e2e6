"""One hub a process: what Redis says about a room reaches every socket of it here, once subscribed, once encoded.

A room's events arrive in order and without gaps: one that overtook another waits for it a moment, and what never
arrived (Redis was away, a publish failed) is read from the log. After Redis was lost every socket gets a fresh
snapshot, because the lossy messages of that time have no log.
"""

from __future__ import annotations

import asyncio
import json
import logging
import time
from typing import Any
from weakref import WeakKeyDictionary

import redis.asyncio
from redis.exceptions import RedisError

from core import bus, loops
from rooms import channels, presence
from rooms.live.feed import Feed
from rooms.live.rights import check_again
from rooms.live.send_queue import Outlet
from rooms.live.ticker import tick
from rooms.wire import events
from rooms.wire.events import LOSSY, PERSONAL, SEQUENCED

log = logging.getLogger(__name__)

LINGER = 30.0  # seconds a room stays subscribed after its last socket: people reload pages
SILENCE = 5.0  # seconds without a word from Redis before we ask whether it is there
SUBSCRIBE_WITHIN = 3.0  # seconds; then a socket starts without live events and gets them when Redis is back
TURN = 32  # messages passed on before the sockets get their turn
MOST_LETTERS = 64 * 1024  # of one message; the longest of ours have a few hundred
MOST_EVENTS = 2**31  # of one room, as the database counts them


class NoEvent(ValueError):
    """Something was published that is no message of ours."""


def read(text: str) -> dict[str, Any]:
    """A message as it was published. Raises NoEvent, or what JSON raises."""
    if len(text) > MOST_LETTERS:
        raise NoEvent(f"{len(text)} characters")
    message = json.loads(text)
    if not isinstance(message, dict) or not isinstance(message.get("type"), str):
        raise NoEvent("no message with a type")
    return message


def seq_of(message: dict[str, Any]) -> int:
    """The number of a sequenced event. Raises NoEvent where it is none: such an event would stand for the real one."""
    seq = message.get("seq")
    if type(seq) is not int or not 0 < seq < MOST_EVENTS or not isinstance(message.get("data"), dict):
        raise NoEvent("no number or no data")
    return seq


class Hub:
    """Subscriptions, feeds and people of one event loop; `rooms.live.ticker` is its heart beat."""

    def __init__(self) -> None:
        self.redis: redis.asyncio.Redis = bus.connect()
        self.feeds: dict[int, Feed] = {}
        self.people: dict[int, set[Outlet]] = {}
        self.narrow: dict[str, set[Outlet]] = {}  # the channel of a room's host side, or of staff → who hears it here
        self.connected = False
        self.tasks: set[asyncio.Task[None]] = set()
        self._pubsub: Any = None
        self._started = False
        self._listened = False  # at least once: whoever listens again has missed something
        self._room_prefix = bus.key("room:")
        self._person_prefix = bus.key("person:")
        self._control_channel = channels.hubs_channel()

    def spawn(self, work: Any, name: str) -> asyncio.Task[None]:
        """A task that is kept from being collected and whose failure is logged."""
        task: asyncio.Task[None] = asyncio.create_task(work, name=name)
        self.tasks.add(task)
        task.add_done_callback(self._done)
        return task

    def _done(self, task: asyncio.Task[None]) -> None:
        self.tasks.discard(task)
        if not task.cancelled() and task.exception() is not None:
            log.error("%s failed", task.get_name(), exc_info=task.exception())

    def start(self) -> None:
        """Begin to listen, once; done by the first socket of the process."""
        if not self._started:
            self._started = True
            self.spawn(loops.keep("hub-listen", self._listen_forever), "hub-listen")
            self.spawn(loops.keep("hub-pulse", lambda: tick(self)), "hub-pulse")

    async def join(self, room_pk: int, outlet: Outlet) -> Feed:
        """This socket hears of the room from now on; its outlet holds everything back until its snapshot."""
        self.start()
        feed = self.feeds.get(room_pk)
        if feed is None:
            feed = self.feeds[room_pk] = Feed(room_pk, self.spawn)
            await self._subscribe(channels.room_channel(room_pk))
        feed.outlets.add(outlet)
        if outlet.user_pk is not None:
            others = self.people.setdefault(outlet.user_pk, set())
            others.add(outlet)
            if len(others) == 1:
                await self._subscribe(channels.person_channel(outlet.user_pk))
        if not feed.subscribed.is_set():
            try:
                await asyncio.wait_for(feed.subscribed.wait(), SUBSCRIBE_WITHIN)
            except TimeoutError:
                log.warning("room %s is not subscribed yet: its sockets start without live events", room_pk)
        return feed

    async def leave(self, feed: Feed, outlet: Outlet) -> None:
        """This socket is gone. The room stays subscribed for a while."""
        feed.outlets.discard(outlet)
        await self.set_sides(outlet, frozenset())
        if not feed.outlets:
            feed.empty_since = time.monotonic()
        if outlet.user_pk is not None and outlet.user_pk in self.people:
            others = self.people[outlet.user_pk]
            others.discard(outlet)
            if not others:
                del self.people[outlet.user_pk]
                await self._unsubscribe(channels.person_channel(outlet.user_pk))

    async def set_sides(self, outlet: Outlet, sides: frozenset[str]) -> None:
        """Let a socket hear these narrower channels ("host", "staff") from now on, and no other."""
        gone, new = outlet.sides - sides, sides - outlet.sides
        outlet.sides = sides
        for channel in (_side_channel(side, outlet.room_pk) for side in gone):
            hearers = self.narrow.get(channel, set())
            hearers.discard(outlet)
            if not hearers and self.narrow.pop(channel, None) is not None:
                await self._unsubscribe(channel)
        for channel in (_side_channel(side, outlet.room_pk) for side in new):
            hearers = self.narrow.setdefault(channel, set())
            hearers.add(outlet)
            if len(hearers) == 1:
                await self._subscribe(channel)

    async def drop_idle(self) -> None:
        """Unsubscribe rooms that nobody here has listened to for a while."""
        now = time.monotonic()
        for pk, feed in list(self.feeds.items()):
            if not feed.outlets and now - feed.empty_since > LINGER:
                del self.feeds[pk]
                await self._unsubscribe(channels.room_channel(pk))

    async def presence_members(self) -> dict[int, list[tuple[str, str]]]:
        """Every connection of this process, by room."""
        return {
            pk: [(outlet.who_key, outlet.conn) for outlet in feed.outlets]
            for pk, feed in self.feeds.items()
            if feed.outlets
        }

    async def refresh_presence(self) -> None:
        """Say again who is connected here; raises RedisError."""
        for pk, members in (await self.presence_members()).items():
            if await presence.apart(presence.enter(self.redis, pk, members), pk) and pk in self.feeds:
                self.feeds[pk].count_due = True

    # --- Redis ------------------------------------------------------------------------------------------------------

    async def _subscribe(self, channel: str) -> None:
        """Where Redis is away, the reconnect subscribes everything."""
        if self.connected:
            try:
                await self._pubsub.subscribe(channel)
            except (RedisError, OSError) as error:
                log.warning("could not subscribe %s yet: %s", channel, error)

    async def _unsubscribe(self, channel: str) -> None:
        if self.connected:
            try:
                await self._pubsub.unsubscribe(channel)
            except (RedisError, OSError) as error:
                log.warning("could not unsubscribe %s: %s", channel, error)

    async def _listen_forever(self) -> None:
        """Listen; when Redis is lost, come back as soon as it does and start everybody afresh. So it is, too, when this
        was started again after an error."""
        wait = 0.1
        while True:
            try:
                async with self.redis.pubsub() as pubsub:
                    self._pubsub = pubsub
                    await pubsub.subscribe(self._control_channel, *self._channels())
                    self.connected, wait = True, 0.1
                    if self._listened:
                        await self._back()
                    self._listened = True
                    await self._read(pubsub)
            except (RedisError, OSError) as error:
                log.warning("Redis is away, live events pause: %s", error)
            finally:
                self.connected = False
            await asyncio.sleep(wait)
            wait = min(wait * 2, 2.0)

    def _channels(self) -> list[str]:
        rooms = [channels.room_channel(pk) for pk in self.feeds]
        return [*rooms, *(channels.person_channel(pk) for pk in self.people), *self.narrow]

    async def _back(self) -> None:
        log.warning("live events are heard again: every socket gets a fresh snapshot")
        await self.refresh_presence()
        for feed in self.feeds.values():
            feed.resync()

    async def _read(self, pubsub: Any) -> None:
        """Pass messages on until the connection fails; a Redis that answers no ping has failed."""
        asked, handled = False, 0
        while True:
            message = await pubsub.get_message(timeout=SILENCE)
            if message is not None:
                asked, handled = False, handled + 1
                try:
                    self._handle(message)
                except Exception as error:
                    await loops.item_failed("hub-listen", f"a message on {message.get('channel')}", error)
                if handled % TURN == 0:
                    # Messages that are here already come without a pause: let the sockets write theirs.
                    await asyncio.sleep(0)
            elif asked:
                raise RedisError("no answer to a ping")
            else:
                asked = True
                await pubsub.ping()

    def _handle(self, message: dict[str, Any]) -> None:
        """Pass one message on. Raises on anything that none of us would publish."""
        kind, channel = message["type"], message.get("channel") or ""
        if kind == "message" and channel.startswith(self._room_prefix):
            feed = self.feeds.get(int(channel[len(self._room_prefix) :]))
            if feed is not None:
                self._to_room(feed, message["data"])
        elif kind == "message" and channel.startswith(self._person_prefix):
            if read(message["data"])["type"] not in PERSONAL:
                raise NoEvent("no message to a person")
            for outlet in self.people.get(int(channel[len(self._person_prefix) :]), ()):
                outlet.put(message["data"])
        elif kind == "message" and channel in self.narrow:
            allowed = events.STAFF if channel == channels.staff_channel() else events.HOST_SIDE
            if read(message["data"])["type"] not in allowed:
                raise NoEvent("no message to a narrower channel")
            for outlet in self.narrow[channel]:
                outlet.put(message["data"])
        elif kind == "message" and channel == self._control_channel:
            self._check(message["data"])
        elif kind == "subscribe" and channel.startswith(self._room_prefix):
            feed = self.feeds.get(int(channel[len(self._room_prefix) :]))
            if feed is not None:
                feed.subscribed.set()

    def _check(self, text: str) -> None:
        """Rights have changed: of a person, or by a room's policy. Check the sockets that this is about."""
        whom = json.loads(text)
        feed = self.feeds.get(whom.get("room", 0))
        outlets = [*self.people.get(whom.get("person", 0), ()), *(feed.outlets if feed else ())]
        self.spawn(self._check_again(outlets), "check-rights")

    async def check_everybody(self) -> None:
        """The clock's net: rights whose change was not heard of."""
        await self._check_again([outlet for feed in self.feeds.values() for outlet in feed.outlets])

    async def _check_again(self, outlets: list[Outlet]) -> None:
        await check_again(outlets, self.set_sides)

    def _to_room(self, feed: Feed, text: str) -> None:
        message = read(text)
        kind = message["type"]
        if kind in LOSSY:
            feed.lossy(text)
        elif kind in SEQUENCED:
            feed.sequenced(seq_of(message), text)
            if kind in ("seat_taken", "seat_left"):
                feed.count_due = True
        else:  # of a newer version, which is being started beside this one: what counts stands in the log
            feed.heal()
            raise NoEvent("an unknown kind of event")


def _side_channel(side: str, room_pk: int) -> str:
    return channels.staff_channel() if side == "staff" else channels.host_channel(room_pk)


_hubs: WeakKeyDictionary[asyncio.AbstractEventLoop, Hub] = WeakKeyDictionary()


def hub() -> Hub:
    """The hub of the running loop: one a process, as a server has one loop."""
    loop = asyncio.get_running_loop()
    if loop not in _hubs:
        _hubs[loop] = Hub()
    return _hubs[loop]
