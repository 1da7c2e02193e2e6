"""The hub's ticker: counts at most once a second, a beat every 5 s, presence every 10 s."""

from __future__ import annotations

import asyncio
import logging
import time
from typing import Any, Protocol

import redis.asyncio
from django.db import DatabaseError
from django.utils import timezone
from redis.exceptions import RedisError

from core import bus, loops
from core.threads import in_thread
from rooms import channels, presence
from rooms.live.feed import Feed, seqs_of
from rooms.models import Seat
from rooms.wire.events import encode, iso

log = logging.getLogger(__name__)

TICK = 1.0  # seconds between looks at which rooms' counts changed
BEAT = 5.0


class Hub(Protocol):
    """The part of a hub (`rooms.live.hub`) that its ticker needs."""

    redis: redis.asyncio.Redis
    feeds: dict[int, Feed]

    async def refresh_presence(self) -> None: ...

    async def drop_idle(self) -> None: ...

    async def check_everybody(self) -> None: ...


async def tick(hub: Hub) -> None:
    """Runs as long as the process. A step that fails is logged and tried again at the next tick."""
    beat_at = refresh_at = time.monotonic()
    while True:
        await asyncio.sleep(TICK)
        now = time.monotonic()
        await _step(publish_counts(hub), "counts")
        if now >= refresh_at:
            refresh_at = now + presence.REFRESH
            await _step(hub.refresh_presence(), "presence")
            await _step(hub.drop_idle(), "idle rooms")
        if now >= beat_at:
            beat_at = now + BEAT
            await _step(beat(hub), "beat")
            await _step(hub.check_everybody(), "rights")


async def _step(work: Any, name: str) -> None:
    try:
        await work
    except (RedisError, OSError) as error:
        log.warning("%s: Redis is away: %s", name, error)
    except DatabaseError as error:
        log.warning("%s: the database is away: %s", name, type(error).__name__)
    except Exception as error:
        await loops.item_failed("hub-tick", name, error)


async def publish_counts(hub: Hub) -> None:
    """Say how many listen where that changed; one process speaks for all, at most once a second a room."""
    for feed in [feed for feed in hub.feeds.values() if feed.count_due and feed.outlets]:
        await presence.apart(_publish_count(hub, feed), feed.room_pk)


async def _publish_count(hub: Hub, feed: Feed) -> None:
    mine: Any = await hub.redis.set(bus.key(f"count:{feed.room_pk}"), "1", nx=True, px=int(TICK * 900))
    if mine:
        feed.count_due = False
        number = feed.listening = await count(hub, feed.room_pk)
        await hub.redis.publish(channels.room_channel(feed.room_pk), encode({"type": "count", "listening": number}))


async def count(hub: Hub, room_pk: int) -> int:
    """People in the audience of a room: connected and not on stage."""
    return (await counts(hub, [room_pk])).get(room_pk, 0)


async def counts(hub: Hub, room_pks: list[int]) -> dict[int, int]:
    """The same for many rooms: one query, one question to Redis. A room that cannot be read is missing."""
    seated = await in_thread(seated_users, room_pks)
    people = {pk: [presence.user_key(user_pk) for user_pk in seated.get(pk, [])] for pk in room_pks}
    found = await presence.alook_many(hub.redis, people)
    return {pk: presence.listening(present, here) for pk, (present, here) in found.items()}


def seated_users(room_pks: list[int]) -> dict[int, list[int]]:
    """Who sits where, by room."""
    found: dict[int, list[int]] = {}
    for room_pk, user_pk in Seat.objects.filter(room__in=room_pks, left_at=None).values_list("room", "user"):
        found.setdefault(room_pk, []).append(user_pk)
    return found


async def beat(hub: Hub) -> None:
    """Tell every socket where its room is; first close the gap where the log is ahead of what was delivered."""
    feeds = [feed for feed in hub.feeds.values() if feed.outlets and feed.last is not None]
    if not feeds:
        return
    pks = [feed.room_pk for feed in feeds]
    seqs = await in_thread(seqs_of, pks)
    try:
        listening = await counts(hub, pks)
    except (RedisError, OSError) as error:
        log.warning("beat without counts, Redis is away: %s", error)
        listening = {}
    now = iso(timezone.now())
    for feed in feeds:
        feed.listening = listening.get(feed.room_pk, feed.listening)
        _beat_room(feed, seqs.get(feed.room_pk, 0), now)


def _beat_room(feed: Feed, seq: int, now: str | None) -> None:
    if feed.last is None:
        return
    if seq > feed.last:
        feed.heal()
    feed.lossy(encode({"type": "beat", "seq": feed.last, "listening": feed.listening, "now": now}))
