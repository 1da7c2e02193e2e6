"""Batches of independent items: one that fails stops no other."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from typing import TypeVar

from celery.exceptions import SoftTimeLimitExceeded
from django.db import connection

log = logging.getLogger(__name__)
T = TypeVar("T")


def run_each(items: Iterable[T], work: Callable[[T], object], what: str) -> int:
    """Call `work` for every item; log an exception as `what` and go on. Returns how many succeeded.

    SoftTimeLimitExceeded is raised: it is the time limit of the task, not a failure of the item.
    """
    done = 0
    for item in items:
        try:
            work(item)
        except SoftTimeLimitExceeded:
            raise
        except Exception:
            log.exception("%s failed: %.200s", what, item)
            if not connection.in_atomic_block:
                connection.close_if_unusable_or_obsolete()
        else:
            done += 1
    return done


def batched(items: Iterable[T], size: int) -> Iterator[list[T]]:
    """Yield the items in lists of at most `size`, none of them empty."""
    waiting = iter(items)
    while some := list(islice(waiting, size)):
        yield some
