"""Measurement of talk time, added up in Redis (`rooms.talk_time`) and told to the host's side.

A supervisor that dies loses what was not saved: at most one deep round. One that hangs counts no more than
`talk_clock.MOST` for the time in which it heard nothing of a stop.
"""

from __future__ import annotations

import logging
import time
from collections import Counter

from redis.exceptions import RedisError

from rooms import channels, talk_time
from rooms.media import redis_keys
from rooms.media.supervisor.context import Context
from rooms.media.supervisor.studio import Studio
from rooms.media.supervisor.wanted import WantedRoom

log = logging.getLogger(__name__)


def look(room: WantedRoom, studio: Studio) -> None:
    """Count who is heard now: talks, as Janus says, with an open microphone."""
    audible = {
        pk: seat.user_pk
        for pk, seat in room.seats.items()
        if pk in studio.talking and not seat.muted and not studio.muted.get(pk, True)
    }
    studio.talk_clock.look(audible, time.monotonic())


async def save(context: Context, room: WantedRoom, studio: Studio) -> None:
    """Count, and add it to what Redis has; without Redis it is added the next time."""
    look(room, studio)
    clock = studio.talk_clock
    spoken, clock.unsaved = +clock.unsaved, Counter()
    if not spoken:
        return
    try:
        await redis_keys.within(talk_time.add(context.redis, room.pk, spoken))
        clock.untold = True
    except (RedisError, OSError) as error:
        clock.unsaved += spoken
        log.warning("room %s: talk time is saved later: %s", room.pk, error)


async def report(context: Context, room: WantedRoom, studio: Studio) -> None:
    """Save, and tell the host's side where something changed."""
    await save(context, room, studio)
    if not studio.talk_clock.untold:
        return
    accounts = {seat.user_pk: seat.handle for seat in room.seats.values()}
    try:
        talked = await redis_keys.within(talk_time.aread(context.redis, room.pk, accounts))
    except (RedisError, OSError) as error:
        log.warning("room %s: talk time is told later: %s", room.pk, error)
        return
    studio.talk_clock.untold = False
    message = {"type": "talk_time", "room": room.slug, "data": {"talked": talked}}
    await context.publish(channels.host_channel(room.pk), message)
