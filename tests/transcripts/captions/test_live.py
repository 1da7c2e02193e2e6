"""Live captions from microphone to page: real voices through Janus, the real process, killed in the middle of it."""

from __future__ import annotations

import asyncio
import json
import time
from itertools import pairwise
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
from tests.support.processes import Site, by_hand
from tests.support.rooms import open_room
from tests.support.waiting import say
from transcripts.captions.process import STATUS
from transcripts.models import LiveLine

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


def test_two_people_talk_and_a_page_reads_who_says_what_also_after_a_kill(site: Site, room: Room) -> None:
    """Both at once; then the process is killed, and begins where it was: no line twice, none changed."""
    people("nora", "mara")
    places, end_ms = sounds.in_turn((*sounds.CLIPS, "0870"), start_ms=500, pause_ms=900)
    other, other_end = sounds.in_turn(("jfk", "6930-75918-0000"), start_ms=3000, pause_ms=1500)
    voices = {"nora": sounds.laid(places, end_ms), "mara": 0.7 * sounds.laid(other, other_end)}
    said = {"nora": words_of([name for _at, name in places]), "mara": words_of([name for _at, name in other])}
    site.start("web", "media", "captions", STATIC_FILES="source")

    async def story() -> tuple[dict[str, Shown], float]:
        async with CaptionedPage(room) as page, talking(site, room, voices):
            await until_shown(page, "mara", 8)
            await until_shown(page, "nora", 20)
            killed = time.time()
            await by_hand(site.kill, "captions")
            await by_hand(site.start, "captions")
            await until_shown(page, "nora", len(said["nora"]) - 8)
            back = min(at for at, message in page.came if message.get("type") == "caption" and at > killed + 0.5)
            await asyncio.sleep(6)
            assert site.status("/readyz") in (200, 503)
            return shown(page), back - killed

    found, away = asyncio.run(story())
    say(f"captions were away for {away:.1f} s")
    for handle, one in found.items():
        assert one.rewritten == 0
        wrong = sounds.word_error_rate(said[handle], one.words)
        say(f"{handle}: {wrong:.1%} wrong: {' '.join(one.words)}")
        assert wrong < 0.25, handle
        times = one.times()
        assert all(before[1] <= after[0] for before, after in pairwise(times))
    assert set(found) == {"nora", "mara"}
    rows = list(LiveLine.objects.filter(room=room).order_by("line"))
    numbers = {line for one in found.values() for line in one.lines}
    assert {row.line for row in rows} <= numbers and len({row.line for row in rows}) == len(rows)


def words_of(names: list[str]) -> list[str]:
    return [word for name in names for word in sounds.plain_words(sounds.WORDS[name])]


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
