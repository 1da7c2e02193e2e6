"""Loops that run as long as their process: one that fails is logged and restarted after a growing wait.

Each failure is stored in Redis, from which `/readyz` reads it (`failing`), until the loop has run for `STEADY` seconds.
So a loop that fails again and again is reported all the time, also while it waits for its next start.
"""

from __future__ import annotations

import asyncio
import functools
import json
import logging
import os
import socket
import threading
import time
from collections.abc import Awaitable, Callable
from typing import Any

import redis
from django.conf import settings
from redis.exceptions import RedisError

log = logging.getLogger(__name__)

FIRST_WAIT, LONGEST_WAIT = 0.5, 30.0  # seconds until the next start
STEADY = 15.0  # seconds without a failure after which a loop counts as healthy
TRACEBACK_EVERY = 30.0  # seconds between two tracebacks of items that fail in one loop

_logged_at: dict[str, float] = {}  # loop name → when the last traceback of one of its items was logged


class LoopEnded(RuntimeError):
    """A loop returned or was cancelled from inside, although it should have gone on."""


class Backoff:
    """Seconds to wait before each restart: twice as long each time, and short again after a steady run."""

    def __init__(self) -> None:
        self._next = FIRST_WAIT

    def after(self, ran: float) -> float:
        """Return the wait in seconds after a run of `ran` seconds."""
        wait = FIRST_WAIT if ran >= STEADY else self._next
        self._next = min(LONGEST_WAIT, wait * 2)
        return wait


async def keep(name: str, run: Callable[[], Awaitable[object]]) -> None:
    """Run a loop until this task is cancelled; restart it whenever it returns or raises."""
    backoff = Backoff()
    while True:
        began = time.monotonic()
        try:
            await run()
            error: BaseException = LoopEnded(f"{name} returned")
        except asyncio.CancelledError as cancelled:
            task = asyncio.current_task()
            if task is not None and task.cancelling():
                raise
            error = cancelled
        except Exception as raised:
            error = raised
        wait = backoff.after(time.monotonic() - began)
        log.error("%s failed and starts again in %.1f s", name, wait, exc_info=error)
        await asyncio.to_thread(_write_down, name, error, wait)
        await asyncio.sleep(wait)


def keep_thread(name: str, run: Callable[[], object]) -> threading.Thread:
    """Run a blocking loop as `keep` does, in a daemon thread."""
    thread = threading.Thread(target=_keep_running, args=(name, run), name=name, daemon=True)
    thread.start()
    return thread


def _keep_running(name: str, run: Callable[[], object]) -> None:
    backoff = Backoff()
    while True:
        began = time.monotonic()
        try:
            run()
            error: Exception = LoopEnded(f"{name} returned")
        except Exception as raised:
            error = raised
        wait = backoff.after(time.monotonic() - began)
        log.error("%s failed and starts again in %.1f s", name, wait, exc_info=error)
        _write_down(name, error, wait)
        time.sleep(wait)


async def item_failed(name: str, what: str, error: BaseException) -> None:
    """Report an unexpected failure of one item of a loop (a message, a room); the loop goes on."""
    if _log_item(name, what, error):
        await asyncio.to_thread(_write_down, name, error, 0.0)


def _log_item(name: str, what: str, error: BaseException) -> bool:
    """Log the failure of an item, with a traceback at most every TRACEBACK_EVERY. True when it is to be stored as
    well."""
    now = time.monotonic()
    last = _logged_at.get(name)
    if last is not None and now - last < TRACEBACK_EVERY:
        log.error("%s: %s failed: %s %.200s", name, what, type(error).__name__, error)
        return now - last > 1
    _logged_at[name] = now
    log.error("%s: %s failed", name, what, exc_info=error)
    return True


# --- failures, for /readyz ------------------------------------------------------------------------------------------


@functools.cache
def _client() -> redis.Redis:
    return redis.Redis.from_url(settings.REDIS_URL, decode_responses=True, socket_timeout=2, socket_connect_timeout=2)


def _key() -> str:
    return f"{settings.REDIS_PREFIX}loops"


def _write_down(name: str, error: BaseException, wait: float) -> None:
    """Store a failure for `failing`. Only logged when Redis is away: the site is not ready then anyway."""
    process = f"{socket.gethostname()} {os.getpid()}"
    state = {"error": type(error).__name__, "until": time.time() + wait + STEADY}
    try:
        _client().hset(_key(), f"{name} ({process})", json.dumps(state))
    except RedisError as lost:
        log.warning("the failure of %s is not written down: %s", name, lost)


def failing() -> list[str]:
    """List the loops of all processes that failed lately, each with its process and the kind of error. Raises
    RedisError."""
    client: Any = _client()
    found = []
    for loop, text in sorted(client.hgetall(_key()).items()):
        state = json.loads(text)
        if state["until"] > time.time():
            found.append(f"{loop}: {state['error']}")
        else:
            client.hdel(_key(), loop)
    return found
