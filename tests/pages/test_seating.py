"""Chairs around the table: each once, both sides filled alike, neighbours told apart by colour."""

from __future__ import annotations

import json
import subprocess
from itertools import product
from pathlib import Path
from typing import Any

import pytest

from pages.seating import EMPTY_SEAT, chair_count, chairs
from people.models import COLOURS
from rooms.wire.events import SeatState

MOST = 10


def seat(place: int) -> SeatState:
    role = "host" if place == 0 else "speaker" if place <= MOST else "cohost"
    colour = COLOURS[place % len(COLOURS)]  # as rooms.wire.events.seat_state has it
    return {**EMPTY_SEAT, "user": f"p{place}", "name": f"P{place}", "place": place, "role": role, "color": colour}


COHOSTS: tuple[tuple[int, ...], ...] = ((), (11,), (12,), (11, 12))


@pytest.mark.parametrize("cohosts", COHOSTS)
def test_every_chair_stands_once_and_neighbours_differ(cohosts: tuple[int, ...]) -> None:
    seats = [seat(place) for place in (0, *range(1, MOST + 1), *cohosts)]
    around = sorted(chairs(seats, MOST), key=lambda chair: chair.at)
    assert [chair.at for chair in around] == list(range(chair_count(seats, MOST)))
    assert around[0].seat is not None and around[0].seat["role"] == "host"
    colours = [chair.seat["color"] for chair in around if chair.seat]
    assert all(one != other for one, other in zip(colours, [*colours[1:], colours[0]], strict=True))


@pytest.mark.parametrize("cohosts", [(), (11,), (11, 12)])
def test_speakers_fill_both_sides_in_turn(cohosts: tuple[int, ...]) -> None:
    for speakers in range(1, MOST + 1):
        seats = [seat(place) for place in (0, *range(1, speakers + 1), *cohosts)]
        count = chair_count(seats, MOST)
        taken = [chair.at for chair in chairs(seats, MOST) if chair.seat and chair.seat["role"] == "speaker"]
        right = sum(at <= count / 2 for at in taken)
        assert abs(right - (speakers - right)) <= 1, f"{speakers} with {len(cohosts)}: {taken}"


def test_script_orders_chairs_as_the_first_paint_does() -> None:
    """Of tables with any co-hosts and any places taken, also without the host."""
    taken = [places for n in range(64) if (places := [place for place in range(6) if n >> place & 1])]
    tables = [([*places, *cohosts], most) for places, cohosts, most in product(taken, COHOSTS, (5, MOST))]
    given: list[dict[str, Any]] = [
        {"seats": [seat(place) for place in places], "most": most} for places, most in tables
    ]
    command = ["node", str(Path(__file__).with_name("chairs.mjs"))]
    done = subprocess.run(command, input=json.dumps(given), capture_output=True, text=True, check=True)
    for table, drawn in zip(given, json.loads(done.stdout), strict=True):
        ours = chairs(table["seats"], table["most"])
        around = [[chair.at, chair.seat["user"] if chair.seat else None] for chair in ours]
        assert drawn == [chair_count(table["seats"], table["most"]), around], table
