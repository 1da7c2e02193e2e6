"""How acts ended: one, or several that begin at the same moment."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.db import connection, transaction

from rooms.rules.refusals import RoomRefused


def said(act: Any, *args: Any, **named: Any) -> str:
    """ "ok", or the code of the refusal."""
    try:
        act(*args, **named)
    except RoomRefused as refused:
        return str(refused.code)
    return "ok"


def refused(act: Callable[..., Any], *args: Any, **named: Any) -> str:
    """The code with which an act is refused; one that is done fails the test."""
    with pytest.raises(RoomRefused) as caught, transaction.atomic():
        act(*args, **named)
    return caught.value.code


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


def number_waiting(table: str | None = None) -> int:
    """How many connections wait for a lock, or for one on this table."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM pg_locks WHERE NOT granted AND (%s::regclass IS NULL OR relation = %s::regclass)",
            [table, table],
        )
        (found,) = cursor.fetchone() or (0,)
    return int(found)
