"""Database work of WebSockets, in a few threads a process.

Channels would run it all in one thread (20 queries of 0.1 s took 2.0 s), or in one thread a socket, which a thousand
sockets cannot afford. Each call closes its connection when it is done.
"""

from __future__ import annotations

import asyncio
import contextvars
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import ParamSpec, TypeVar

from django.db import close_old_connections

P = ParamSpec("P")
R = TypeVar("R")

THREADS = 8
_pool = ThreadPoolExecutor(THREADS, thread_name_prefix="rooms-db")


async def in_thread(work: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
    """Run `work` in a thread beside the event loop; its exception is raised here."""

    def run() -> R:
        close_old_connections()
        try:
            return work(*args, **kwargs)
        finally:
            close_old_connections()

    # Not asgiref's `sync_to_async`: what it adds, for code that calls back into the event loop, costs as much again.
    return await asyncio.get_running_loop().run_in_executor(_pool, contextvars.copy_context().run, run)
