"""Order of the chairs around the table, from a snapshot. Pure; `static/js/room/core/chairs.js` has the same rules."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from people.labels import labels
from rooms.wire.events import SeatState


class Chair(NamedTuple):
    """A chair. `at` is its number, clockwise from 0 at the head of the table; `seat` is None while it is free.

    `label` is the name of the person in it, with the handle where two names at the table look alike.
    """

    at: int
    seat: SeatState | None
    label: str = ""


# Rendered into a <template>: script clones it for people who sit down later.
EMPTY_SEAT = SeatState(
    user="",
    name="",
    initials="",
    picture="",
    color="",
    role="speaker",
    place=0,
    muted=True,
    held=False,
    captions_off=False,
    connected=True,
)


def chairs(seats: Sequence[SeatState], max_speakers: int) -> list[Chair]:
    """List all chairs in reading order: host, co-hosts, speakers by place, then the free ones.

    Around the table the host sits at the head, co-hosts on both sides of the host. Speakers fill the places next to
    them, right and left in turn, so that both sides of the table fill alike.
    """
    by_place = {seat["place"]: seat for seat in seats}
    called = labels({seat["user"]: seat["name"] for seat in seats})
    cohosts = [by_place[place] for place in (11, 12) if place in by_place]
    count = 1 + len(cohosts) + max_speakers
    right, left = 1 + (len(cohosts) > 0), count - 1 - (len(cohosts) > 1)
    taken = [Chair(0, by_place[0])] if 0 in by_place else []
    taken += [Chair(1 if n == 0 else count - 1, seat) for n, seat in enumerate(cohosts)]
    free = [] if 0 in by_place else [Chair(0, None)]
    for place in range(1, max_speakers + 1):
        chair = Chair(right + place // 2 if place % 2 else left - place // 2 + 1, by_place.get(place))
        (taken if chair.seat else free).append(chair)
    return [chair._replace(label=called[chair.seat["user"]]) for chair in taken if chair.seat] + free


def chair_count(seats: Sequence[SeatState], max_speakers: int) -> int:
    """Count the chairs: the host's, `max_speakers` for speakers, and one for each co-host on stage."""
    return 1 + sum(seat["role"] == "cohost" for seat in seats) + max_speakers
