"""Check the rights of open sockets again: close sockets without rights, and set narrower channels by role."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable

from core.threads import in_thread
from rooms.live.send_queue import SendQueue
from rooms.rules.admission import Guest, admissions

SetSides = Callable[[SendQueue, frozenset[str]], Awaitable[None]]


async def check_sockets(send_queues: Iterable[SendQueue], set_sides: SetSides) -> int:
    """Close the sockets that are no longer allowed; set narrower channels of the others. Returns how many closed."""
    guests = {Guest(send_queue.room_pk, send_queue.who_key, send_queue.conn): send_queue for send_queue in send_queues}
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
