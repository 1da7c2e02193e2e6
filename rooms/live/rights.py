"""Check the rights of open sockets again: close sockets without rights, and set narrower channels by role."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable

from core.threads import in_thread
from rooms.live.send_queue import NO_ROOM, SendQueue
from rooms.rules.admission import Guest, admissions, refused_people

SetSides = Callable[[SendQueue, frozenset[str]], Awaitable[None]]


async def check_sockets(send_queues: Iterable[SendQueue], set_sides: SetSides) -> int:
    """Close the sockets that are no longer allowed; set narrower channels of the others. Returns how many closed."""
    by_guest = {Guest(one.room_pk, one.who_key, one.conn): one for one in send_queues}
    guests = [guest for guest in by_guest if guest.room_pk != NO_ROOM]
    people = [guest for guest in by_guest if guest.room_pk == NO_ROOM]
    refused = await in_thread(refused_people, people) if people else {}
    admitted = await in_thread(admissions, guests) if guests else {}
    refused |= {guest: admission.refused for guest, admission in admitted.items() if admission.refused is not None}
    for guest, code in refused.items():
        by_guest[guest].on_refused(code)
    for guest, admission in admitted.items():
        if admission.refused is None:
            await set_sides(by_guest[guest], admission.sides)
    return len(refused)
