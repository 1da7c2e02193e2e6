"""Fair shares of common places for sound: near listeners, microphone checks. The rules are pure.

A connection that does not come about within `MEDIA_ICE_SECONDS` is dropped: a place is for who hears, or speaks.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections import Counter
from collections.abc import Iterable
from typing import TYPE_CHECKING

from django.conf import settings

from rooms.media.supervisor.state import Handle

if TYPE_CHECKING:
    from rooms.media.supervisor.loop import Supervisor

log = logging.getLogger(__name__)

CHECK_SECONDS = 120.0
SHORT = 4  # places are short when less than one in so many is free; then no address may hold more than such a part


def is_person(client_key: str) -> bool:
    """Whether a key stands for somebody signed in; the others stand for an address."""
    return client_key.startswith("u:")


def near_place(held: Counter[str], client_key: str, most: int, per_person: int, per_address: int) -> bool:
    """Whether one more near place goes to this client; who gets none listens by HLS.

    `held` are the places by client. While there are plenty, an address may hold `per_address`; once less than a
    quarter is free, no more than a quarter of all, so that what is left is for other addresses.
    """
    free = most - held.total()
    mine = held[client_key]
    if free <= 0:
        return False
    if is_person(client_key):
        return mine < per_person
    if free * SHORT <= most:
        per_address = min(per_address, max(1, most // SHORT))
    return mine < per_address


def checks_to_end(checks: Iterable[Handle], client_key: str, address: str, most: int) -> list[Handle] | None:
    """The microphone checks that make way for one more of this client; None where none may begin.

    A person has one: the new one takes its place. Where all are taken, the oldest of the address that has most ends,
    unless that is the address that asks.
    """
    checks = list(checks)
    own = [check for check in checks if check.counted == client_key]
    others = [check for check in checks if check.counted != client_key]
    by_address = Counter(check.address for check in others)
    if by_address[address] >= settings.MEDIA_CHECKS_PER_ADDRESS:
        return None
    if len(others) < most:
        return own
    fullest, number = by_address.most_common(1)[0]
    if number <= by_address[address]:
        return None
    return [*own, min((check for check in others if check.address == fullest), key=lambda check: check.since)]


def near_place_of(sup: Supervisor, client_key: str) -> bool:
    """`near_place` with what is held and on its way now."""
    held = Counter(handle.counted for handle in sup.kept.of("listen")) + sup.arriving
    per_address = settings.MEDIA_NEAR_PER_ADDRESS
    return near_place(held, client_key, settings.MEDIA_NEAR_LISTENERS, settings.MEDIA_NEAR_PER_PERSON, per_address)


async def connected(sup: Supervisor, handle_id: int) -> None:
    """Janus says that a connection came about."""
    handle = sup.kept.handles.get(handle_id)
    if handle is not None:
        handle.up = True
        await sup.kept.keep_handle(handle)


def trust(sup: Supervisor) -> None:
    """A supervisor that takes over did not hear what came about meanwhile: what it finds counts as connected."""
    for handle in sup.kept.handles.values():
        handle.up = True


async def end_overdue(sup: Supervisor) -> None:
    """Drop connections that did not come about, and checks that last too long."""
    now = time.time()
    overdue = []
    for handle in sup.kept.handles.values():
        age = now - handle.since
        if not handle.up and age > settings.MEDIA_ICE_SECONDS:
            log.info("handle %s (%s of %s) never connected: dropped", handle.id, handle.kind, handle.counted)
            overdue.append(handle)
        elif handle.kind == "check" and age > CHECK_SECONDS:
            overdue.append(handle)
    await asyncio.gather(*(sup.lost(handle) for handle in overdue))
