"""Redis that does not answer, for this process alone."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import redis

from core import bus, throttle

NOBODY = 1  # a port at which nothing listens


@contextmanager
def redis_away(settings: Any) -> Iterator[None]:
    """Have no connection to Redis while the block runs.

    Threads of this process may ask for a connection at any moment, and what they get is kept: so nothing is made anew
    that they share. The same clients get other pools, and then theirs back.
    """
    clients = (bus.client(), throttle.connection())
    pools, address = [client.connection_pool for client in clients], settings.REDIS_URL
    settings.REDIS_URL = f"redis://127.0.0.1:{NOBODY}/0"
    for client, pool in zip(clients, pools, strict=True):
        away = {**pool.connection_kwargs, "host": "127.0.0.1", "port": NOBODY}
        client.connection_pool = redis.ConnectionPool(**away)
    try:
        yield
    finally:
        settings.REDIS_URL = address
        for client, pool in zip(clients, pools, strict=True):
            client.connection_pool = pool
