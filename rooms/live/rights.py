"""Rights of open sockets, checked again: sockets whose rights are gone are closed, narrower channels follow roles."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable

from core.threads import in_thread
from rooms.live.send_queue import Outlet
from rooms.rules.admission import Guest, admissions

SetSides = Callable[[Outlet, frozenset[str]], Awaitable[None]]


async def check_again(outlets: Iterable[Outlet], set_sides: SetSides) -> int:
    """Close the sockets that may not go on and set the others' narrower channels. Returns how many were closed."""
    guests = {Guest(outlet.room_pk, outlet.who_key, outlet.conn): outlet for outlet in outlets}
    if not guests:
        return 0
    closed = 0
    for guest, admission in (await in_thread(admissions, list(guests))).items():
        if admission.refused is not None:
            guests[guest].on_refused(admission.refused)
            closed += 1
        else:
            await set_sides(guests[guest], admission.sides)
    return closed
