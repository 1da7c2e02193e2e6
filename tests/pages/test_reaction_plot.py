"""The plot of reactions on the page of an ended room: the host's alone, in words too, and without script."""

from __future__ import annotations

import re
from typing import Any
from uuid import uuid4

import pytest
from django.test import Client

from pages.reactions import MOST_BARS, reaction_plot
from people.models import User
from rooms.models import ReactionCount, Room
from tests.support.people import person
from tests.support.recordings import ended_recording, sat_until_the_end

pytestmark = pytest.mark.django_db


def count(room: Room, *counts: tuple[int, str, int]) -> None:
    ReactionCount.objects.bulk_create(
        ReactionCount(room=room, second=second, kind=kind, count=many, batch=uuid4()) for second, kind, many in counts
    )


@pytest.fixture
def room() -> Room:
    recording = ended_recording(person("host"), minutes=5)
    sat_until_the_end(recording, person("ada"), 11)
    return recording.room


def page(room: Room, handle: str) -> str:
    browser = Client()
    browser.force_login(User.objects.get(handle=handle))
    answer: Any = browser.get(f"/r/{room.slug}/replay/")
    assert answer.status_code == 200
    return re.sub(r"\s+", " ", answer.content.decode())


def test_bars_of_ten_seconds_and_totals(room: Room) -> None:
    assert reaction_plot(room, 300_000) is None
    count(room, (0, "clap", 1), (9, "clap", 1), (10, "heart", 8), (295, "clap", 4))
    plot = reaction_plot(room, 300_000)
    assert plot is not None and (plot.width, plot.step) == (30, 10)
    assert [(bar.x, bar.y, bar.height) for bar in plot.bars] == [(0, 75.0, 25.0), (1, 0.0, 100.0), (29, 50.0, 50.0)]
    assert [(one.emoji, one.count) for one in plot.totals] == [("❤️", 8), ("👏", 6)]
    assert (plot.total, plot.peak, plot.peak_ms) == (14, 8, 10_000)


def test_a_long_room_has_no_more_bars_and_late_reactions_are_in_it(room: Room) -> None:
    count(room, (8 * 3600, "clap", 1))
    plot = reaction_plot(room, 8 * 3_600_000)
    assert plot is not None and plot.step == 90 and plot.width <= MOST_BARS
    assert plot.bars[0].x < plot.width


def test_the_host_reads_it_and_nobody_else(room: Room) -> None:
    assert "reaction-totals" not in page(room, "host")
    count(room, (61, "clap", 1200), (62, "laugh", 34))
    seen = page(room, "host")
    assert "1,234 reactions." in seen and 'Most within 10 seconds: 1,234, from <a href="#t=60">1:00</a>' in seen
    assert 'aria-hidden="true">👏</span> <span class="unseen">Clap:</span> 1,200' in seen
    assert "reaction-totals" not in page(room, "ada")


def test_nothing_of_it_after_the_purge(room: Room) -> None:
    count(room, (1, "clap", 3))
    Room.objects.filter(pk=room.pk).update(purged_at=room.ended_at)
    assert "reaction-totals" not in page(room, "host")
