"""What the purge of a room has to remove besides rows and files: what is known of it in Redis."""

from __future__ import annotations

from collections.abc import Sequence

from core import bus
from core.erasers import erases

PREFIXES = ("presence:{}", "presence:{}:people", "away:{}", "count:{}")


@erases("presence")
def erase_presence(rooms: Sequence[int]) -> int:
    """Who was connected. It expires by itself; a purge does not wait for that. Raises RedisError."""
    names = [bus.key(prefix.format(pk)) for pk in rooms for prefix in PREFIXES]
    removed = bus.client().delete(*names) if names else 0
    return int(removed)
