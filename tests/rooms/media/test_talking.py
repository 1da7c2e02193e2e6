"""Talking, as the media supervisor publishes it: repeated, and ended when a connection ends in mid-sentence."""

from __future__ import annotations

import asyncio
import time
from typing import Any

import numpy as np
import pytest
from channels.db import database_sync_to_async as run

from people.models import User
from rooms import talk_time
from rooms.guests import peers
from rooms.guests.talker import Talker
from rooms.guests.visitor import Browser, Visitor
from rooms.models import Room
from tests.rooms.media.conftest import signed_in
from tests.support.processes import Site
from tests.support.waiting import until

pytestmark = pytest.mark.django_db(transaction=True)
WITHIN = 60.0  # seconds for what takes six


def without_a_pause(seconds: int = 5) -> peers.Samples:
    noise = np.random.default_rng(7).normal(0, 6000, seconds * peers.RATE)
    return np.clip(noise, -32000, 32000).astype(np.int16)


def spoken_by(room: Room, handle: str) -> int:
    """Milliseconds, as the supervisor measured them."""
    user = User.objects.get(handle=handle)
    return talk_time.talked_in(room.pk, {user.pk: handle}).get(handle, 0)


def test_it_is_said_again_and_ends_with_the_connection(lent_site: Site, room: Room) -> None:
    talker = Talker(signed_in(lent_site, "nora"), room.slug, peers.Clip(without_a_pause(), loop=True))
    told: list[bool] = []

    def hear(message: dict[str, Any]) -> None:
        if message.get("type") == "talking":
            told.append(message["talking"])

    async def story() -> None:
        async with Visitor(Browser(lent_site.url), room.slug, hear):
            began = time.monotonic()
            task = asyncio.create_task(talker.run())
            await until(lambda: told[-3:] == [True] * 3, WITHIN)
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
            await until(lambda: told[-1] is False, WITHIN)
            spoken = (await run(spoken_by)(room, "nora")) / 1000
            assert 3.0 < spoken < time.monotonic() - began, "talk time is measured"
            told.clear()
            await asyncio.sleep(8)  # longer than it takes until it would be said again
            assert told == []

    asyncio.run(story())
