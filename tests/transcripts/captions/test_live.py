"""Live captions from microphone to page, with real voices through Janus and the real process, end when they must."""

from __future__ import annotations

import asyncio
import json
import time
from typing import Any

import pytest

from core import bus
from core.threads import in_thread
from people.models import User
from rooms import actions as room_actions
from rooms.models import Room
from tests.support import sounds
from tests.support.captions import CaptionedPage, Shown, shown, talking
from tests.support.people import person
from tests.support.processes import Site
from tests.support.rooms import open_room
from transcripts.captions.process import STATUS

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.alone]
SOON = 60.0  # seconds for what takes five on a quiet machine


@pytest.fixture
def room() -> Room:
    return open_room("hanna", speak_policy="everyone")


def people(*handles: str) -> list[User]:
    return [person(handle) for handle in handles]


async def until_shown(page: CaptionedPage, handle: str, words: int, within: float = SOON) -> Shown:
    """Wait until so many words of a person are confirmed."""
    ends = time.monotonic() + within
    while True:
        found = shown(page).get(handle)
        if found is not None and len(found.words) >= words:
            return found
        assert time.monotonic() < ends, f"{handle}: {found.words if found else 'nothing'}"
        await asyncio.sleep(0.2)


def test_captions_stop_with_the_removal_of_who_speaks_and_with_the_room(site: Site, room: Room) -> None:
    nora, _mara = people("nora", "mara")
    places, end_ms = sounds.in_turn(sounds.CLIPS * 3, start_ms=500, pause_ms=500)
    voices = {"nora": sounds.laid(places, end_ms), "mara": 0.8 * sounds.clip("jfk")}
    site.start("web", "media", "captions", STATIC_FILES="source")

    async def story() -> None:
        async with CaptionedPage(room) as page, talking(site, room, voices):
            await until_shown(page, "mara", 5)
            await until_shown(page, "nora", 10)
            await in_thread(room_actions.remove_person, room.pk, nora, room.host)
            removed = time.time()
            await asyncio.sleep(5)
            late = [
                m for at, m in page.came if m.get("type") == "caption" and m["person"] == "nora" and at > removed + 1
            ]
            assert late == []
            await in_thread(room_actions.end_room, room.pk, room.host)
            ended = time.time()
            await asyncio.sleep(4)
            assert not [m for at, m in page.came if m.get("type") == "caption" and at > ended + 1]

    asyncio.run(story())
    assert status()["rooms"] == 0


def status() -> dict[str, Any]:
    """The last sign of life of the process."""
    found: dict[str, Any] = json.loads(str(bus.client().get(bus.key(STATUS))))
    return found
