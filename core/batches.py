"""Work on many things of which each stands for itself: one that fails takes no other with it."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from typing import TypeVar

from celery.exceptions import SoftTimeLimitExceeded
from django.db import connection

log = logging.getLogger(__name__)
T = TypeVar("T")


def each(items: Iterable[T], work: Callable[[T], object], what: str) -> int:
    """Do `work` for every item; what one raises is logged as `what` and the next has its turn. How many succeeded.

    The time limit of the task is none of the item's: SoftTimeLimitExceeded is raised.
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
