"""The hub of a process: subscribe each room once in Redis, and pass its messages on to every local socket of the room.

Events of a room are delivered in order and without gaps: an early event waits a moment for its predecessor, and events
that never arrived (Redis was away, a publish failed) are read from the log. After a loss of Redis every socket gets a
fresh snapshot, because lossy messages are in no log.
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
from people.channels import people_channel, person_channel
from rooms import channels, presence
from rooms.live.admitting import Door
from rooms.live.feed import Feed
from rooms.live.messages import InvalidMessage, parse_message, seq_of
from rooms.live.rights import RightsChanges, check_sockets
from rooms.live.send_queue import SendQueue
from rooms.live.subscriber import Subscriber
from rooms.live.ticker import tick
from rooms.wire import sides
from rooms.wire.events import LOSSY, SEQUENCED
from social import wire as social_wire

log = logging.getLogger(__name__)

LINGER = 30.0  # seconds a room stays subscribed after its last socket closed: people reload pages
SILENCE = 5.0  # seconds without a message from Redis before it is pinged
SUBSCRIBE_WITHIN = 3.0  # seconds; then a socket starts without live events and gets them when Redis is back
TURN = 32  # messages passed on before the loop yields to the writers of sockets


class Hub:
    """Subscriptions, feeds and sockets of one event loop; `rooms.live.ticker` does its periodic work."""

    def __init__(self) -> None:
        self.redis: redis.asyncio.Redis = bus.connect()
        self.scripts = bus.Pipelined(self.redis)
        self.door = Door()
        self.feeds: dict[int, Feed] = {}
        self.slugs: dict[str, int] = {}  # of rooms with a feed
        self.changes = RightsChanges()
        self.people: dict[int, set[SendQueue]] = {}
        self.pages: set[SendQueue] = set()  # sockets of people that are in no room
        self.person_subscribed: dict[int, asyncio.Event] = {}
        self.narrow: dict[str, set[SendQueue]] = {}  # a narrower channel (of hosts or staff) → its sockets
        self.narrow_subscribed: dict[str, asyncio.Event] = {}
        self.closing = False
        self.tasks: set[asyncio.Task[None]] = set()
        self._subscriber = Subscriber()
        self._started = False
        self._listened = False  # whether it was subscribed before: then a new subscription has missed messages
        self._room_prefix = bus.key("room:")
        self._person_prefix = bus.key("person:")
        self._control_channel = channels.hubs_channel()
        self._people_channel = people_channel()

    def spawn(self, work: Any, name: str) -> asyncio.Task[None]:
        """Start a task, keep a reference to it and log its failure."""
        task: asyncio.Task[None] = asyncio.create_task(work, name=name)
        self.tasks.add(task)
        task.add_done_callback(self._done)
        return task

    def _done(self, task: asyncio.Task[None]) -> None:
        self.tasks.discard(task)
        if not task.cancelled() and task.exception() is not None:
            log.error("%s failed", task.get_name(), exc_info=task.exception())

    def start(self) -> None:
        """Start listening and the ticker, once; called for the first socket of the process."""
        if not self._started:
            self._started = True
            self.spawn(loops.keep("hub-listen", self._listen_forever), "hub-listen")
            self.spawn(loops.keep("hub-pulse", lambda: tick(self)), "hub-pulse")

    async def join(self, room_pk: int, send_queue: SendQueue) -> Feed:
        """Add a socket to the feed of a room. Its queue holds everything back until the snapshot is in it."""
        self.start()
        feed = self.feeds.get(room_pk)
        if feed is None:
            feed = self.feeds[room_pk] = Feed(room_pk, self.spawn)
            await self._subscriber.subscribe(channels.room_channel(room_pk))
        feed.send_queues.add(send_queue)
        if send_queue.user_pk is not None:
            await self._join_person(send_queue.user_pk, send_queue)
        await self._until(feed.subscribed, f"room {room_pk}")
        return feed

    def feed_of(self, slug: str) -> Feed | None:
        """The feed of a room whose events and changes of rights are heard now; None where there is none."""
        feed = self.feeds.get(self.slugs.get(slug, 0)) if self.connected else None
        return feed if feed is not None and feed.subscribed.is_set() else None

    def check_if_changed(self, send_queue: SendQueue, since: float) -> None:
        """Check a socket that has joined once more if rights changed after `since`, when those that admitted it were
        read: the message came before the socket was here."""
        if self.changes.any_since(since, send_queue.room_pk, send_queue.user_pk):
            self.spawn(check_sockets([send_queue], self.set_sides), "check-rights")

    @property
    def sockets(self) -> list[SendQueue]:
        """All that are open, or about to be."""
        return [*(one for feed in self.feeds.values() for one in feed.send_queues), *self.pages]

    async def join_as_person(self, user_pk: int, send_queue: SendQueue) -> None:
        """Add a socket that is in no room: it gets what `social.wire` tells its person."""
        self.start()
        self.pages.add(send_queue)
        await self._until(await self._join_person(user_pk, send_queue), f"person {user_pk}")

    async def join_as_staff(self, user_pk: int, send_queue: SendQueue) -> None:
        """Add a socket that is in no room: it gets what is told to staff."""
        await self.join_as_person(user_pk, send_queue)
        await self.set_sides(send_queue, frozenset({"staff"}))

    async def _join_person(self, user_pk: int, send_queue: SendQueue) -> asyncio.Event:
        others = self.people.setdefault(user_pk, set())
        others.add(send_queue)
        subscribed = self.person_subscribed.setdefault(user_pk, asyncio.Event())
        if not subscribed.is_set():  # nor may another page of theirs go on before that is sent
            await self._subscriber.subscribe(person_channel(user_pk))
        return subscribed

    async def _until(self, subscribed: asyncio.Event, what: str) -> None:
        if not subscribed.is_set():
            try:
                await asyncio.wait_for(subscribed.wait(), SUBSCRIBE_WITHIN)
            except TimeoutError:
                log.warning("%s is not subscribed yet: its sockets start without live events", what)

    async def leave(self, feed: Feed, send_queue: SendQueue) -> None:
        """Remove a socket that closed. The room stays subscribed for LINGER seconds."""
        feed.send_queues.discard(send_queue)
        await self.set_sides(send_queue, frozenset())
        if not feed.send_queues:
            feed.empty_since = time.monotonic()
        await self._leave_person(send_queue)

    async def quit(self, send_queue: SendQueue) -> None:
        """Remove a socket that joined a room, or did not get so far."""
        if feed := self.feeds.get(send_queue.room_pk):
            await self.leave(feed, send_queue)

    async def leave_as_person(self, send_queue: SendQueue) -> None:
        """Remove a socket that was in no room and closed."""
        self.pages.discard(send_queue)
        await self.set_sides(send_queue, frozenset())
        await self._leave_person(send_queue)

    async def _leave_person(self, send_queue: SendQueue) -> None:
        if send_queue.user_pk is not None and send_queue.user_pk in self.people:
            others = self.people[send_queue.user_pk]
            others.discard(send_queue)
            if not others:
                del self.people[send_queue.user_pk], self.person_subscribed[send_queue.user_pk]
                await self._subscriber.unsubscribe(person_channel(send_queue.user_pk))

    async def set_sides(self, send_queue: SendQueue, sides: frozenset[str]) -> None:
        """Set the narrower channels ("host", "staff") that a socket receives; one that has left receives none.

        One that is open already starts again from a snapshot where it receives more: what was told before the channel
        was subscribed is in it.
        """
        feed = self.feeds.get(send_queue.room_pk)
        if send_queue not in self.pages and (feed is None or send_queue not in feed.send_queues):
            sides = frozenset()  # a check of rights that began before it left may end after it
        gone, new = send_queue.sides - sides, sides - send_queue.sides
        send_queue.sides = sides
        for side in gone:
            if side in send_queue.sides:  # again, while another one was unsubscribed
                continue
            channel = channels.side_channel(side, send_queue.room_pk)
            receivers = self.narrow.get(channel, set())
            receivers.discard(send_queue)
            if not receivers and self.narrow.pop(channel, None) is not None:
                del self.narrow_subscribed[channel]
                await self._subscriber.unsubscribe(channel)
        for side in new:
            if side not in send_queue.sides:  # it has left meanwhile, or lost the right
                continue
            channel = channels.side_channel(side, send_queue.room_pk)
            receivers = self.narrow.setdefault(channel, set())
            receivers.add(send_queue)
            if len(receivers) == 1:
                self.narrow_subscribed[channel] = asyncio.Event()
                await self._subscriber.subscribe(channel)
            if subscribed := self.narrow_subscribed.get(channel):
                await self._until(subscribed, channel)
        if new and send_queue.started:
            send_queue.resync()

    async def drop_idle(self) -> None:
        """Unsubscribe rooms that have had no socket for LINGER seconds."""
        now = time.monotonic()
        for pk, feed in list(self.feeds.items()):
            if not feed.send_queues and now - feed.empty_since > LINGER:
                del self.feeds[pk]
                self.slugs = {slug: room_pk for slug, room_pk in self.slugs.items() if room_pk != pk}
                await self._subscriber.unsubscribe(channels.room_channel(pk))

    async def presence_members(self) -> dict[int, list[tuple[str, str]]]:
        """Connections (person, name) of this process, by room; without staff who listen in, and who is not in yet."""
        members = {
            pk: [(one.who_key, one.conn) for one in feed.send_queues if one.started and not one.as_staff]
            for pk, feed in self.feeds.items()
        }
        return {pk: found for pk, found in members.items() if found}

    async def refresh_presence(self) -> None:
        """Renew the presence of all connections of this process; raises RedisError."""
        for pk, new in (await presence.enter_many(self.redis, await self.presence_members())).items():
            if new and pk in self.feeds:
                self.feeds[pk].count_due = True

    # --- Redis ------------------------------------------------------------------------------------------------------

    @property
    def connected(self) -> bool:
        """Whether messages are heard now. While Redis is away channels are only noted: the reconnect subscribes all."""
        return self._subscriber.pubsub is not None

    async def _listen_forever(self) -> None:
        """Subscribe and pass messages on. After a loss of Redis, or an error, subscribe again, resync all sockets."""
        wait = 0.1
        while True:
            try:
                async with self.redis.pubsub() as pubsub:
                    asked = self._channels()
                    await pubsub.subscribe(self._control_channel, self._people_channel, *asked)
                    self._subscriber.pubsub, wait = pubsub, 0.1
                    if came := set(self._channels()) - set(asked):  # meanwhile, and could not subscribe yet
                        await pubsub.subscribe(*came)
                    if self._listened:
                        await self._resync_all()
                    self._listened = True
                    await self._read(pubsub)
            except (RedisError, OSError) as error:
                log.warning("Redis is away, live events pause: %s", error)
            finally:
                self._subscriber.pubsub = None
                self.changes.lose()
            await asyncio.sleep(wait)
            wait = min(wait * 2, 2.0)

    def _channels(self) -> list[str]:
        rooms = [channels.room_channel(pk) for pk in self.feeds]
        return [*rooms, *(person_channel(pk) for pk in self.people), *self.narrow]

    async def _resync_all(self) -> None:
        log.warning("live events are heard again: every socket gets a fresh snapshot")
        await self.refresh_presence()
        for feed in self.feeds.values():
            feed.resync()
        for send_queue in self.pages:
            send_queue.resync()

    async def _read(self, pubsub: Any) -> None:
        """Pass messages on until the connection fails. An unanswered ping counts as failure."""
        asked, handled = False, 0
        while self._subscriber.pubsub is pubsub:
            message = await pubsub.get_message(timeout=SILENCE)
            if message is not None:
                asked, handled = False, handled + 1
                try:
                    self._handle(message)
                except Exception as error:
                    await loops.item_failed("hub-listen", f"a message on {message.get('channel')}", error)
                if handled % TURN == 0:
                    await asyncio.sleep(0)  # what has arrived is read without a pause: let the sockets write
            elif asked:
                raise RedisError("no answer to a ping")
            else:
                asked = True
                await pubsub.ping()
        raise RedisError("a subscription could not be sent")

    def _handle(self, message: dict[str, Any]) -> None:
        """Pass one message on. Raises InvalidMessage or ValueError for anything that this site would not publish."""
        kind, channel = message["type"], message.get("channel") or ""
        if kind == "subscribe":
            self._note_subscribed(channel)
        elif kind == "message":
            self._pass_on(channel, message["data"])

    def _note_subscribed(self, channel: str) -> None:
        if channel == self._control_channel:
            self.changes.hear()
        elif channel.startswith(self._room_prefix):
            feed = self.feeds.get(int(channel[len(self._room_prefix) :]))
            if feed is not None:
                feed.subscribed.set()
        elif channel.startswith(self._person_prefix):
            subscribed = self.person_subscribed.get(int(channel[len(self._person_prefix) :]))
            if subscribed is not None:
                subscribed.set()
        elif channel in self.narrow_subscribed:
            self.narrow_subscribed[channel].set()

    def _pass_on(self, channel: str, text: str) -> None:
        if channel.startswith(self._room_prefix):
            feed = self.feeds.get(int(channel[len(self._room_prefix) :]))
            if feed is not None:
                self._to_room(feed, text)
        elif channel.startswith(self._person_prefix):
            self._to_person(int(channel[len(self._person_prefix) :]), text)
        elif channel == self._people_channel:
            self._to_people(text)
        elif channel == self._control_channel:
            self._check_rights(text)
        elif channel in self.narrow:
            self._to_side(channel, text)

    def _to_side(self, channel: str, text: str) -> None:
        allowed = sides.STAFF if channel == channels.staff_channel() else sides.HOST_SIDE
        message = parse_message(text)
        if message["type"] not in allowed:
            raise InvalidMessage("no message to a narrower channel")
        text, kept_from = sides.for_clients(message, text)
        for send_queue in self.narrow[channel]:
            if send_queue.user_pk not in kept_from:
                send_queue.put(text)

    def _check_rights(self, text: str) -> None:
        """Check the sockets of the person or room whose rights have changed."""
        whom = json.loads(text)
        self.changes.note(whom)
        feed = self.feeds.get(whom.get("room", 0))
        if feed is not None:
            feed.doubt()
        send_queues = [*self.people.get(whom.get("person", 0), ()), *(feed.send_queues if feed else ())]
        self.spawn(check_sockets(send_queues, self.set_sides), "check-rights")

    async def check_all_rights(self) -> None:
        """Check the rights of every socket, in case a message about a change was lost."""
        await check_sockets(self.sockets, self.set_sides)

    def _to_person(self, user_pk: int, text: str) -> None:
        """Pass a message on to the sockets of a person: what is about a room only to those that are in one."""
        message = parse_message(text)
        send_queues = self.people.get(user_pk, ())
        if message["type"] in social_wire.PERSONAL:
            at = message.get("at")
            if type(at) is not int:
                raise InvalidMessage("no moment")
            for send_queue in send_queues:
                if send_queue.gets_unread:
                    send_queue.put_latest(text, at)
        elif message["type"] in sides.PERSONAL:
            for send_queue in send_queues:
                if send_queue.gets_personal:
                    send_queue.put(text)
        else:
            raise InvalidMessage("no message to a person")

    def _to_people(self, text: str) -> None:
        """Pass a message for many people on to the sockets of those who are here."""
        message = parse_message(text)
        if message["type"] not in social_wire.PERSONAL:
            raise InvalidMessage("no message to people")
        for user_pk, own_text, at in social_wire.each_unread(message):
            for send_queue in self.people.get(user_pk, ()):
                if send_queue.gets_unread:
                    send_queue.put_latest(own_text, at)

    def _to_room(self, feed: Feed, text: str) -> None:
        message = parse_message(text)
        kind = message["type"]
        if kind in LOSSY:
            if kind == "connected":  # whoever comes in now has missed it: what was read before it is not for them
                feed.doubt()
            feed.put_lossy(text)
        elif kind in SEQUENCED:
            feed.put_sequenced(seq_of(message), text)
            if kind in ("seat_taken", "seat_left"):
                feed.count_due = True
        else:  # published by a newer version that is being deployed: a sequenced event is in the log
            feed.fill_gap()
            raise InvalidMessage("an unknown kind of event")


_hubs: WeakKeyDictionary[asyncio.AbstractEventLoop, Hub] = WeakKeyDictionary()


def hub() -> Hub:
    """The hub of the running event loop; a server process has one loop, so one hub."""
    loop = asyncio.get_running_loop()
    if loop not in _hubs:
        _hubs[loop] = Hub()
    return _hubs[loop]
