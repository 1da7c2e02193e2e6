"""The verb of reactions. On a socket it runs on the event loop and asks no database: thousands may clap at once."""

from __future__ import annotations

import logging

from redis.exceptions import RedisError

from people.models import User
from rooms import actions, reactions
from rooms.actions.reactions import check_tone
from rooms.live.hub import hub
from rooms.live.verbs.call import Call
from rooms.live.verbs.verb import Answer
from rooms.rules import permissions
from rooms.rules.limits import reactions_of_address
from rooms.rules.reactions import second_of
from rooms.rules.refusals import RoomRefused, refuse

log = logging.getLogger(__name__)


async def react(call: Call, kind: str, tone: int, behind: int) -> Answer:
    """React with an emoji, which everybody in the room sees.

    Whoever has a socket was let in, and loses it with the right to be here.
    """
    check_tone(kind, tone)
    here = hub()
    room = await here.feeds[call.room_pk].row()
    refuse(permissions.live(room.status))
    if call.who.user is None and call.address:
        await reactions_of_address().acheck(here.redis, call.address)
    try:
        await reactions.acount(here.redis, call.room_pk, second_of(room.room_time(), behind), kind, tone)
    except (RedisError, OSError) as error:
        log.warning("a reaction is lost, Redis is away: %s", error)
        raise RoomRefused("unavailable") from error
    return {}


def react_over_api(call: Call, _me: User, kind: str, tone: int, behind: int) -> Answer:
    """`react` for the API."""
    actions.react(call.room(), call.who, kind, tone, behind)
    return {"counted": True}
