"""Waiting for something to become true, with a limit that only a fault reaches; and figures that tests measure."""

from __future__ import annotations

import asyncio
import inspect
import sys
import time
from collections.abc import Callable
from typing import Any

from django.db import connection


def say(line: str) -> None:
    """Print a measured figure: shown by `-s`, and with a test that fails."""
    sys.stdout.write(line + "\n")


def wait_until(true: Callable[[], Any], seconds: float = 30.0, what: str = "it", every: float = 0.1) -> Any:
    """Return what `true` returns once it is true; fails after `seconds`.

    Between two looks the connection to the database may have broken: PostgreSQL may have been restarted meanwhile.
    """
    ends = time.monotonic() + seconds
    while not (found := true()):
        assert time.monotonic() < ends, f"{what} did not happen within {seconds} s"
        connection.close_if_unusable_or_obsolete()
        time.sleep(every)
    return found


async def until(true: Callable[[], Any], seconds: float = 30.0, every: float = 0.02, what: str = "it") -> None:
    """Wait until `true`, which may be a coroutine function, returns something true; fails after `seconds`."""
    ends = time.monotonic() + seconds
    while True:
        found = true()
        if inspect.isawaitable(found):
            found = await asyncio.wait_for(found, max(0.1, ends - time.monotonic()))
        if found:
            return
        assert time.monotonic() < ends, f"{what} did not happen within {seconds} s"
        await asyncio.sleep(every)
