"""Limits on the sockets of one client, checked before a handshake reaches the database.

A few handshakes of an address run at once, the others queue. New sockets are limited by address; open ones by person,
or by address for anonymous people.
"""

from __future__ import annotations

import logging
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import parse_qs
from weakref import WeakValueDictionary

from django.conf import settings

from core import quotas
from core.bus import Pipelined
from core.lines import LineFull, Lines
from core.throttle import Limit
from rooms.live.frames import Pace
from rooms.rules.identity import Who
from rooms.rules.refusals import RoomRefused

log = logging.getLogger(__name__)

OF_PERSON = quotas.Quota("sockets", "SOCKETS_PER_PERSON")
# Sockets of pages outside of rooms have numbers of their own: open tabs keep nobody out of a room.
OF_PAGES = quotas.Quota("page-sockets", "PAGE_SOCKETS_PER_PERSON")
OF_ADDRESS = quotas.Quota("sockets", "SOCKETS_PER_ADDRESS")
FORGOTTEN_AFTER = 5.0  # seconds a refused session is remembered; the page tries again after ten or more
MOST_REFUSED = 10_000  # sessions remembered
_refused: dict[tuple[str, str], float] = {}  # quota and session → until when
_lines = Lines("HANDSHAKES_AT_ONCE", "HANDSHAKES_WAITING")
_paces: WeakValueDictionary[str, Pace] = WeakValueDictionary()


@asynccontextmanager
async def handshake_turn(
    client: Pipelined, address: str, session: str, quota: quotas.Quota = OF_PERSON
) -> AsyncIterator[None]:
    """Wait for this handshake's turn among those of its address. Raises too_many.

    A session that was refused a moment ago is refused again without a look-up.
    """
    if time.monotonic() < _refused.get((quota.name, session), 0.0):
        raise RoomRefused("too_many")
    try:
        async with _lines.turn(address):
            most = settings.SOCKETS_NEW_PER_ADDRESS
            await Limit(quota.name, most, most, RoomRefused, "too_many").acheck(client, address)
            yield
    except LineFull as error:
        raise RoomRefused("too_many") from error


async def lease_socket(
    client: Pipelined, who: Who, address: str, session: str, of_person: quotas.Quota = OF_PERSON
) -> quotas.Lease:
    """Count one more open socket of a client; the caller releases the lease when it closes. Raises too_many."""
    quota = OF_ADDRESS if who.user is None else of_person
    lease = await quotas.atake(client, quota, client_key(who, address))
    if lease is None:
        log.info("a socket of %s is refused: too many are open", client_key(who, address))
        if who.user is not None:
            if len(_refused) >= MOST_REFUSED:
                _refused.clear()
            _refused[quota.name, session] = time.monotonic() + FORGOTTEN_AFTER
        raise RoomRefused("too_many")
    lease.keep()
    return lease


def query_field(scope: dict[str, Any], name: str) -> str:
    """Return a field of the socket's address; empty where it has none."""
    try:
        fields = parse_qs(str(scope.get("query_string", b""), "latin1"), max_num_fields=10)
        return fields.get(name, [""])[0]
    except ValueError:  # more fields than any page of ours sends
        return ""


def client_key(who: Who, address: str) -> str:
    """Key under which a client's sockets are counted: the person, or the address of an anonymous one."""
    return address if who.user is None else who.key


def pace_of(key: str) -> Pace:
    """Token bucket that all sockets of one client in this process share (`client_key`)."""
    pace = _paces.get(key)
    if pace is None:
        pace = _paces[key] = Pace(settings.FRAMES_PER_CLIENT / 60, settings.FRAMES_AT_ONCE)
    return pace
