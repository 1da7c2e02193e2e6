"""Sockets whose rights are gone, closed."""

from __future__ import annotations

from collections.abc import Iterable

from core.threads import in_thread
from rooms.live.send_queue import Outlet
from rooms.rules.admission import Guest, refused


async def put_out(outlets: Iterable[Outlet]) -> int:
    """Close the sockets of those who may not be where they are; returns how many."""
    guests = {Guest(outlet.room_pk, outlet.who_key, outlet.conn): outlet for outlet in outlets}
    if not guests:
        return 0
    codes = await in_thread(refused, list(guests))
    for guest, code in codes.items():
        guests[guest].on_refused(code)
    return len(codes)
