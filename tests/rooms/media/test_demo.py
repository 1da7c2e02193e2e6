"""The demo of a fresh site: its two voices can be heard at once, until its time is up."""

from __future__ import annotations

import asyncio
import time
from datetime import timedelta
from pathlib import Path

import numpy as np
import pytest
from django.utils import timezone

from people import demo
from rooms import actions
from rooms.guests import peers, voices
from rooms.guests.demo import MINUTES, may_start_demo, start_demo_room
from rooms.guests.near_listener import NearListener
from rooms.guests.visitor import Browser
from rooms.models import Room
from tests.support.processes import Site
from tests.support.speech import understood, words

LOOK = 0.1  # seconds between two looks at who talks


@pytest.fixture
def people_of_the_demo(transactional_db: None) -> None:
    demo.ensure_people()


@pytest.mark.django_db(transaction=True)
def test_two_voices_are_heard(lent_site: Site, people_of_the_demo: None, tmp_path: Path) -> None:
    room = start_demo_room()
    lent_site.start("voices")
    near = NearListener(Browser(lent_site.url), room.slug)

    made_at: list[float] = []  # when the one whose words are known was heard, epoch seconds

    async def story() -> None:
        """Until both were heard, the one whose words are known for six seconds: two turns."""
        listening = asyncio.create_task(near.run())
        async with asyncio.timeout(240):
            while len(made_at) < 6 / LOOK or set(near.talking) != set(demo.SPEAKERS):
                await asyncio.sleep(LOOK)
                if near.talking.get(voices.COMMENTER, False):
                    made_at.append(time.time())
        listening.cancel()
        await asyncio.gather(listening, return_exceptions=True)

    asyncio.run(story())
    heard_then = [
        part
        for part, at in zip(near.ears.parts, near.ears.arrived, strict=False)
        if any(abs(at - look) < 5 * LOOK for look in made_at)
    ]
    peers.write_wave(tmp_path / "demo.wav", np.concatenate(heard_then))
    found = set(words(understood(tmp_path / "demo.wav")))
    made = {word for line in voices.LINES for word in words(line)}
    assert len(found & made) >= 8, found
    assert set(near.talking) == set(demo.SPEAKERS)


@pytest.mark.django_db
def test_there_is_one_demo_room_and_its_time_runs(people_of_the_demo: None) -> None:
    room = start_demo_room()
    assert start_demo_room() == room
    assert not may_start_demo()
    assert room.ends_by is not None and room.ends_by - timezone.now() <= timedelta(minutes=MINUTES)
    assert actions.sweep_rooms(now=timezone.now() + timedelta(minutes=MINUTES + 1)) == 1
    room.refresh_from_db()
    assert room.end_reason == Room.EndReason.TIME_UP
    assert may_start_demo()
    assert start_demo_room() != room


@pytest.mark.django_db
def test_a_site_without_the_demo_has_no_button() -> None:
    assert not may_start_demo()


def test_the_two_parts_take_turns() -> None:
    reads, comments = voices.script()
    assert len(reads) == len(comments)
    assert not ((abs(reads) > 300) & (abs(comments) > 300)).any()
