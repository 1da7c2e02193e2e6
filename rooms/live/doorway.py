"""Limits of sockets of one client: asked before anything of a handshake reaches the database.

A few handshakes of an address are at work at once, the others wait in its line. New ones have a pace by address; open
ones count by person, or by address where nobody is signed in.
"""

from __future__ import annotations

import logging
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from weakref import WeakValueDictionary

import redis.asyncio
from django.conf import settings

from core import quotas
from core.lines import LineFull, Lines
from core.throttle import Limit
from rooms.live.frames import Pace
from rooms.rules.identity import Who
from rooms.rules.refusals import RoomRefused

log = logging.getLogger(__name__)

OF_PERSON = quotas.Quota("sockets", "SOCKETS_PER_PERSON")
OF_ADDRESS = quotas.Quota("sockets", "SOCKETS_PER_ADDRESS")
FORGOTTEN_AFTER = 5.0  # seconds; the page tries again after ten or more
MOST_REFUSED = 10_000  # sessions that are remembered
_refused: dict[str, float] = {}
_lines = Lines("HANDSHAKES_AT_ONCE", "HANDSHAKES_WAITING")
_paces: WeakValueDictionary[str, Pace] = WeakValueDictionary()


@asynccontextmanager
async def turn(client: redis.asyncio.Redis, address: str, session: str) -> AsyncIterator[None]:
    """Let one more handshake of an address in, in its turn. Raises `too_many`.

    A session whose sockets were too many a moment ago is not looked up again.
    """
    if time.monotonic() < _refused.get(session, 0.0):
        raise RoomRefused("too_many")
    try:
        async with _lines.turn(address):
            most = settings.SOCKETS_NEW_PER_ADDRESS
            await Limit("sockets", most, most, RoomRefused, "too_many").acheck(client, address)
            yield
    except LineFull as error:
        raise RoomRefused("too_many") from error


async def hold(client: redis.asyncio.Redis, who: Who, address: str, session: str) -> quotas.Lease:
    """Count one more open socket; release it when the socket is gone. Raises `too_many`."""
    quota = OF_ADDRESS if who.user is None else OF_PERSON
    lease = await quotas.atake(client, quota, counted(who, address))
    if lease is None:
        log.info("a socket of %s is refused: too many are open", counted(who, address))
        if who.user is not None:
            if len(_refused) >= MOST_REFUSED:
                _refused.clear()
            _refused[session] = time.monotonic() + FORGOTTEN_AFTER
        raise RoomRefused("too_many")
    lease.keep()
    return lease


def counted(who: Who, address: str) -> str:
    """The key under which somebody is counted: the person, or the address where nobody is signed in."""
    return address if who.user is None else who.key


def pace_of(client_key: str) -> Pace:
    """The pace at which all sockets of one client together may send frames to this process."""
    pace = _paces.get(client_key)
    if pace is None:
        pace = _paces[client_key] = Pace(settings.FRAMES_PER_CLIENT / 60, settings.FRAMES_AT_ONCE)
    return pace
