"""Check the rights of open sockets again: close sockets without rights, and set narrower channels by role."""

from __future__ import annotations

import math
import time
from collections.abc import Awaitable, Callable, Iterable, Mapping

from core.threads import in_thread
from rooms.live.send_queue import NO_ROOM, SendQueue
from rooms.rules.admission import Guest, admissions, refused_people

SetSides = Callable[[SendQueue, frozenset[str]], Awaitable[None]]

KEPT = 60.0  # seconds that the moment of a change is kept, for handshakes that began before it


class RightsChanges:
    """When rights of rooms and people changed last, as far as a process heard of it. Moments are monotonic."""

    def __init__(self) -> None:
        self._heard_since = math.inf  # since when no message was missed
        self._at: dict[tuple[str, int], float] = {}  # by ("room" or "person", primary key)

    def hear(self) -> None:
        """Messages are heard from now on."""
        self._heard_since = time.monotonic()

    def lose(self) -> None:
        """Messages are not heard any more."""
        self._heard_since = math.inf

    def note(self, whom: Mapping[str, int]) -> None:
        """Store that rights of these have changed."""
        now = time.monotonic()
        self._at = {one: at for one, at in self._at.items() if now - at < KEPT} | dict.fromkeys(whom.items(), now)

    def any_since(self, since: float, room_pk: int, user_pk: int | None) -> bool:
        """Whether rights of a room or person may have changed after a moment."""
        concerned = ("room", room_pk), ("person", user_pk or 0)
        return since <= max(self._heard_since, *(self._at.get(whom, 0.0) for whom in concerned))


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
        if admission.refused is None and admission.sides != by_guest[guest].sides:  # of most none change
            await set_sides(by_guest[guest], admission.sides)
    return len(refused)
