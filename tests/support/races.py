"""Acts at the same moment, and how each ended."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from django.db import connection

from rooms.rules.refusals import RoomRefused


def said(act: Any, *args: Any, **named: Any) -> str:
    """ "ok", or the code of the refusal."""
    try:
        act(*args, **named)
    except RoomRefused as refused:
        return str(refused.code)
    return "ok"


def at_once(*acts: Callable[[], Any]) -> list[str]:
    """Start all acts at the same moment, each with a connection of its own; "ok" or the refusal's code of each."""
    gate = threading.Barrier(len(acts))

    def do(act: Callable[[], Any]) -> str:
        try:
            gate.wait(30)
            return said(act)
        finally:
            connection.close()

    with ThreadPoolExecutor(len(acts)) as pool:
        return list(pool.map(do, acts))
