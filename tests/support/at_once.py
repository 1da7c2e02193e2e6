"""Actions that several people take at the same moment, and what each is answered."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from django.db import connection

from rooms.rules.refusals import RoomRefused


def refusal(work: Callable[..., Any], *args: Any, **values: Any) -> str:
    """The code of the refusal; "ok" where there was none."""
    try:
        work(*args, **values)
    except RoomRefused as refused:
        return refused.code
    return "ok"


def at_once(*works: Callable[[], Any]) -> list[str]:
    """Do these in threads of their own that begin together; what each answered."""
    together = threading.Barrier(len(works))

    def one(work: Callable[[], Any]) -> str:
        try:
            together.wait(20)
            return refusal(work)
        finally:
            connection.close()

    with ThreadPoolExecutor(len(works)) as pool:
        return sorted(pool.map(one, works))
