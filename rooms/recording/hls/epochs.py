"""Check that an address of live sound is valid: its room is live and has the epoch of the address.

This is checked for every segment that a listener fetches, so each process caches the answer of the database: the end of
a room or a new epoch takes effect everywhere within `CACHE_SECONDS` of the commit.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from uuid import UUID

from rooms.models import Room

CACHE_SECONDS = 1.0
# Age in seconds from which an address of another epoch refreshes the cache: another process may have given it out a
# moment ago. So old addresses cost fifty short queries a second at most, however many are fetched.
ASKED_AGAIN = 0.02
_MOST = 500  # rooms


@dataclass(frozen=True)
class KnownEpoch:
    """The epoch of a live room, None for any other; `at` is monotonic time before the database was read."""

    epoch: UUID | None
    at: float


_answers: dict[int, KnownEpoch] = {}


def is_current(room_pk: int, epoch: UUID) -> bool:
    """Whether the room is live and this is its epoch."""
    answer, now = _answers.get(room_pk), time.monotonic()
    age = CACHE_SECONDS if answer is None else now - answer.at
    if answer is None or age >= CACHE_SECONDS or (answer.epoch not in (None, epoch) and age >= ASKED_AGAIN):
        answer = KnownEpoch(_epoch_of(room_pk), now)
        cache(room_pk, answer)
    return answer.epoch == epoch


def cache(room_pk: int, answer: KnownEpoch) -> None:
    """Cache an epoch that was read from the database, unless a newer one is known. Also called by the playlist view."""
    known = _answers.get(room_pk)
    if known is None or known.at <= answer.at:
        if len(_answers) >= _MOST:
            _answers.clear()
        _answers[room_pk] = answer


def _epoch_of(room_pk: int) -> UUID | None:
    return Room.objects.filter(pk=room_pk, status=Room.Status.LIVE).values_list("epoch", flat=True).first()
