"""The orderly end of a process' sockets, and the time within which their pages come back, spread out."""

from __future__ import annotations

import asyncio
import random
import time

from rooms.live.hub import Hub, hub

CLOSING_SECONDS = 20.0  # at most, for all sockets of a process that ends
CLOSED_A_SECOND = 50.0  # sockets; more where that would take longer
LOOK, LOOKS = 0.02, 100  # seconds between two looks whether all that were closed have left their rooms, and how many
SOON = 1.0  # seconds within which a page comes back whose socket is closed in its turn
RETRY_LEAST, RETRY_MOST = 0.4, 20.0  # seconds within which a page comes back after a lost connection
JOIN_SECONDS = 0.003  # that a join takes of a process, with some to spare: `bench/join.py`


def retry_within(made: Hub) -> float:
    """Seconds within which a page comes back, at a random moment, when the connection is lost: as many as this process
    would need for all of its sockets, because all may be lost at once."""
    sockets = sum(len(feed.send_queues) for feed in made.feeds.values())
    return round(min(RETRY_MOST, max(RETRY_LEAST, sockets * JOIN_SECONDS)), 2)


async def close_sockets() -> None:
    """Close every socket of this process, one after the other, and refuse new ones: it is about to end."""
    made = hub()
    made.closing = True
    until = time.monotonic() + CLOSING_SECONDS
    waiting = made.sockets
    random.shuffle(waiting)  # not one room after the other
    for number, send_queue in enumerate(waiting):
        send_queue.on_restart()
        left = max(0.0, until - time.monotonic()) / (len(waiting) - number)
        await asyncio.sleep(min(1 / CLOSED_A_SECOND, left))
    for _look in range(LOOKS):
        if not made.sockets:
            break
        await asyncio.sleep(LOOK)
