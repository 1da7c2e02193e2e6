"""Whether addresses of live sound still open: a room is live, and its epoch is theirs.

Every piece that a listener fetches asks for it, so each process believes an answer of the database for a while: what
ends a room or changes its epoch takes effect everywhere within `BELIEVED` seconds of the commit.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from uuid import UUID

from rooms.models import Room

BELIEVED = 1.0  # seconds
# Seconds after which an address of another epoch is a reason to ask again: another process may have given it out a
# moment ago. So old addresses cost fifty short queries a second at most, however many ask.
ASKED_AGAIN = 0.02
_MOST = 500  # rooms


@dataclass(frozen=True)
class Answer:
    """The epoch of a live room, None for any other; `at` is monotonic, from before the database was asked."""

    epoch: UUID | None
    at: float


_answers: dict[int, Answer] = {}


def is_current(room_pk: int, epoch: UUID) -> bool:
    """Whether the room is live and this is its epoch."""
    answer, now = _answers.get(room_pk), time.monotonic()
    age = BELIEVED if answer is None else now - answer.at
    if answer is None or age >= BELIEVED or (answer.epoch not in (None, epoch) and age >= ASKED_AGAIN):
        answer = Answer(_epoch_of(room_pk), now)
        note(room_pk, answer)
    return answer.epoch == epoch


def note(room_pk: int, answer: Answer) -> None:
    """Keep an answer of the database, unless a newer one is known. Who gives out addresses has one, too."""
    known = _answers.get(room_pk)
    if known is None or known.at <= answer.at:
        if len(_answers) >= _MOST:
            _answers.clear()
        _answers[room_pk] = answer


def _epoch_of(room_pk: int) -> UUID | None:
    return Room.objects.filter(pk=room_pk, status=Room.Status.LIVE).values_list("epoch", flat=True).first()
