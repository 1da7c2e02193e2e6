"""Applying what stands outside (OUTSIDE_DIR) to a database that was put back from a backup and has forgotten it.

Apps register steps that do so: receipts of purges, what people were told, mails that were sent. A process
that serves anybody runs them before it does (`begin`), and workers again before a task where a backup was put back
under them (`look_again`). Steps may run at any time, twice, and in two processes at once.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime

from django.db import InterfaceError, OperationalError, connection, connections
from django.utils import timezone

from core.hooks import Hook

log = logging.getLogger(__name__)

RETRY_SECONDS = 2.0

Check = Callable[[], None]
"""Raises where nothing may be applied, nor served: what stands outside is not there, or not of this database."""

Step = Callable[[datetime], str]
"""Applies what stands outside to this database. Returns a sentence on what it changed; "" where it changed nothing.
Raises where it cannot: then nothing is served."""

Identity = tuple[str, ...]

restore_checks: Hook[Check] = Hook("core.restore_checks")
after_restore: Hook[Step] = Hook("core.after_restore")

_applied_to: Identity | None = None  # the database to which this process has applied the steps; None: it did not begin


def apply(now: datetime | None = None) -> list[str]:
    """Run all checks, then all steps; returns their sentences. One that fails is raised and ends it."""
    for check in restore_checks.values():
        check()
    moment = now or timezone.now()
    said = [sentence for step in after_restore.values() if (sentence := step(moment))]
    for sentence in said:
        log.warning("a backup was put back: %s", sentence)
    return said


def begin(*, wait: bool = True) -> None:
    """Apply the steps before this process serves anything. Raises what a step raises.

    While the database does not answer, wait for it; without `wait`, for a process that serves nothing that is kept, go
    on without.
    """
    with ThreadPoolExecutor(1) as threads:  # an event loop may run in this one, and workers fork from it
        threads.submit(_begin, wait).result()


def _begin(wait: bool) -> None:
    try:
        while True:
            try:
                return _apply_here()
            except (OperationalError, InterfaceError) as error:
                log.warning("the database does not answer: %s", type(error).__name__)
                if not wait:
                    return None
                connections.close_all()
                time.sleep(RETRY_SECONDS)
    finally:
        connections.close_all()


def look_again() -> None:
    """Apply the steps where the database is not the one to which this process applied them: one query otherwise.
    Nothing in a process that did not `begin`."""
    if _applied_to is not None and identity() != _applied_to:
        log.warning("the database was put back, changed by a migration, or started again")
        _apply_here()


def _apply_here() -> None:
    """Apply the steps and remember to which database. A restore that goes on meanwhile is seen the next time."""
    global _applied_to
    found = identity()
    apply()
    _applied_to = found


def identity() -> Identity:
    """Return values that differ once a backup was put back: the start of the server (a copy of its files, another
    server), the database, and its foreign keys, which `pg_restore` makes last, after all rows."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_postmaster_start_time()::text,"
            " (SELECT oid FROM pg_database WHERE datname = current_database())::text,"
            " count(*)::text, coalesce(max(oid::bigint), 0)::text FROM pg_constraint WHERE contype = 'f'"
        )
        return tuple(cursor.fetchone())
