"""Periodic work of a hub: counts, reactions and choices every second, a beat every 5 s, presence every 10 s."""

from __future__ import annotations

import asyncio
import logging
import time
from typing import Any, Protocol

import redis.asyncio
from django.conf import settings
from django.db import DatabaseError
from django.utils import timezone
from redis.exceptions import RedisError

from core import bus, loops
from core.threads import in_thread
from people.channels import person_channel
from rooms import channels, presence, reactions, seen_changes
from rooms.live.feed import Feed, now_of, over_rooms
from rooms.models import Room, Seat
from rooms.wire.events import encode, iso
from social.models import Follow

log = logging.getLogger(__name__)

TICK = 1.0  # seconds between two rounds
MOST_FOLLOWERS = 1_000  # of those who chose in a tick, that are looked for in the room
MOST_TOLD = 100  # readers that are told in a tick; the others read anew by and by (`static/js/room/features/faces.js`)
BEAT = 5.0  # seconds between two beats


class TickedHub(Protocol):
    """The part of `rooms.live.hub.Hub` that the ticker uses; a protocol, because the hub imports this module."""

    redis: redis.asyncio.Redis
    feeds: dict[int, Feed]

    async def refresh_presence(self) -> None: ...

    async def drop_idle(self) -> None: ...

    async def check_all_rights(self) -> None: ...


async def tick(hub: TickedHub) -> None:
    """Run forever. A failed step is logged and tried again at its next turn."""
    beat_at = refresh_at = time.monotonic()
    while True:
        await asyncio.sleep(TICK)
        now = time.monotonic()
        await _step(publish_counts(hub), "counts")
        await _step(publish_reactions(hub), "reactions")
        await _step(publish_choices(hub), "choices")
        if now >= refresh_at:
            refresh_at = now + presence.REFRESH
            await _step(hub.refresh_presence(), "presence")
            await _step(hub.drop_idle(), "idle rooms")
        if now >= beat_at:
            beat_at = now + BEAT
            await _step(beat(hub), "beat")
            await _step(hub.check_all_rights(), "rights")
            await _step(close_over(hub), "rooms that are over")


async def _step(work: Any, name: str) -> None:
    try:
        await work
    except (RedisError, OSError) as error:
        log.warning("%s: Redis is away: %s", name, error)
    except DatabaseError as error:
        log.warning("%s: the database is away: %s", name, type(error).__name__)
    except Exception as error:
        await loops.item_failed("hub-tick", name, error)


async def publish_counts(hub: TickedHub) -> None:
    """Publish the audience counts that changed: at most once a second a room, by one process for all. One query and
    four round trips, however many rooms."""
    due = [feed for feed in hub.feeds.values() if feed.count_due and feed.send_queues]
    if not due:
        return
    pipe = hub.redis.pipeline(transaction=False)
    for feed in due:
        pipe.set(bus.key(f"count:{feed.room_pk}"), "1", nx=True, px=int(TICK * 900))
    mine = [feed for feed, is_mine in zip(due, await pipe.execute(), strict=True) if is_mine]
    numbers = await counts(hub, [feed.room_pk for feed in mine])
    pipe = hub.redis.pipeline(transaction=False)
    for feed in mine:
        if feed.room_pk in numbers:
            feed.count_due, feed.listening = False, numbers[feed.room_pk]
            pipe.publish(channels.room_channel(feed.room_pk), encode({"type": "count", "listening": feed.listening}))
    await pipe.execute()


async def publish_reactions(hub: TickedHub) -> None:
    """Publish the reactions since the last tick: one message a room, by one process for all."""
    for room_pk in await reactions.adue(hub.redis):
        feed = hub.feeds.get(room_pk)
        if feed is not None and feed.send_queues:
            await presence.skip_unreadable(_publish_reactions(hub, room_pk), room_pk)


async def _publish_reactions(hub: TickedHub, room_pk: int) -> None:
    if counts := await reactions.atake(hub.redis, room_pk):
        await hub.redis.publish(channels.room_channel(room_pk), encode({"type": "reactions", "counts": counts}))


async def publish_choices(hub: TickedHub) -> None:
    """Tell those who see them that listeners chose to be seen or unseen: at most once a second each, and no names."""
    for room_pk in await seen_changes.adue(hub.redis):
        feed = hub.feeds.get(room_pk)
        if feed is not None and feed.send_queues:
            await presence.skip_unreadable(_publish_choices(hub, room_pk), room_pk)


async def _publish_choices(hub: TickedHub, room_pk: int) -> None:
    if chosen := await seen_changes.atake(hub.redis, room_pk):
        slug, readers = await in_thread(readers_of, room_pk, chosen)
        _people, flags = await presence.alook(hub.redis, room_pk, [presence.user_key(pk) for pk in readers])
        here = [pk for pk, is_here in zip(readers, flags, strict=True) if is_here]
        text = encode({"type": "audience", "room": slug})
        pipe = hub.redis.pipeline(transaction=False)
        for pk in here[:MOST_TOLD]:
            pipe.publish(person_channel(pk), text)
        await pipe.execute()


def readers_of(room_pk: int, chosen: list[int]) -> tuple[str, list[int]]:
    """Return a room's slug and the accounts that see these listeners: its host's side first, then the latest
    MOST_FOLLOWERS of those who follow one of them; three queries."""
    room = Room.objects.filter(pk=room_pk).values_list("slug", "host").first()
    if room is None:
        return "", []
    helpers = Seat.objects.filter(room=room_pk, role=Seat.Role.COHOST, left_at=None).values_list("user", flat=True)
    followers = Follow.objects.filter(followed__in=chosen).order_by("-since", "-pk").values_list("follower", flat=True)
    return room[0], list(dict.fromkeys([room[1], *helpers, *followers[:MOST_FOLLOWERS]]))


async def counts(hub: TickedHub, room_pks: list[int]) -> dict[int, int]:
    """Size of the audience of rooms, people connected and not on stage: one query, one round trip to Redis. A room that
    cannot be read is missing."""
    if not room_pks:
        return {}
    seated = await in_thread(seated_users, room_pks)
    people = {pk: [presence.user_key(user_pk) for user_pk in seated.get(pk, [])] for pk in room_pks}
    present = await presence.alook_many(hub.redis, people)
    return {pk: presence.listening(number, here) for pk, (number, here) in present.items()}


def seated_users(room_pks: list[int]) -> dict[int, list[int]]:
    """Accounts with an open seat, by room; one query."""
    seated: dict[int, list[int]] = {}
    for room_pk, user_pk in Seat.objects.filter(room__in=room_pks, left_at=None).values_list("room", "user"):
        seated.setdefault(room_pk, []).append(user_pk)
    return seated


async def beat(hub: TickedHub) -> None:
    """Send every socket the number of the last event of its room; fill the gap where the log is ahead of it."""
    feeds = [feed for feed in hub.feeds.values() if feed.send_queues and feed.last is not None]
    if not feeds:
        return
    pks = [feed.room_pk for feed in feeds]
    rooms = await in_thread(now_of, pks)
    try:
        listening = await counts(hub, pks)
    except (RedisError, OSError) as error:
        log.warning("beat without counts, Redis is away: %s", error)
        listening = {}
    now = iso(timezone.now())
    for feed in feeds:
        feed.listening = listening.get(feed.room_pk, feed.listening)
        seq, live_list = rooms.get(feed.room_pk, (0, None))
        _beat_room(feed, seq, live_list, now)


async def close_over(hub: TickedHub) -> None:
    """Close the sockets of rooms that are over. Pages leave by themselves when they hear of the end; one that comes
    late has as long to take it in."""
    now = time.monotonic()
    stayed = {
        feed: [one for one in feed.send_queues if now - one.joined >= settings.ROOM_OVER_SECONDS]
        for feed in hub.feeds.values()
    }
    pks = [feed.room_pk for feed, send_queues in stayed.items() if send_queues]
    over = await in_thread(over_rooms, pks, settings.ROOM_OVER_SECONDS) if pks else set()
    for feed, send_queues in stayed.items():
        for send_queue in send_queues if feed.room_pk in over else ():
            if send_queue in feed.send_queues:  # it may have left meanwhile
                send_queue.on_refused("room_ended")


def _beat_room(feed: Feed, seq: int, live_list: str | None, now: str | None) -> None:
    if feed.last is None:
        return
    if seq > feed.last:
        feed.fill_gap()
    beat = {"type": "beat", "seq": feed.last, "listening": feed.listening, "now": now, "list": live_list}
    feed.put_lossy(encode(beat))
