"""Waiting for something to become true, with a limit that only a fault reaches."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable


async def until(true: Callable[[], Awaitable[object]], seconds: float = 30.0, every: float = 0.02) -> None:
    """Ask `true` until it is; raises TimeoutError after `seconds`."""
    async with asyncio.timeout(seconds):
        while not await true():  # noqa: ASYNC110  # it is asked elsewhere: nothing here could wake us
            await asyncio.sleep(every)
