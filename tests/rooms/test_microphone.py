"""One person, several pages of a room: one of them has the microphone, and opening another takes it from none."""

from __future__ import annotations

import asyncio
import json
import threading
import time

from channels.db import database_sync_to_async as sync_to_async
from django.db import connection, transaction

from people.models import User
from rooms.models import Room, Seat
from tests.support.client import Page, code
from tests.support.processes import Site
from tests.support.rooms import open_room, seated

run = sync_to_async
FIRST, SECOND = "first-page-of-ada", "second-page-of-ada"


def table() -> tuple[Room, User]:
    room = open_room()
    return room, seated("ada", room)


async def muted(user: User) -> bool:
    return bool(await run(Seat.objects.values_list("muted", flat=True).get)(user=user))


async def speaks(page: Page) -> None:
    assert code(await page.ask("speak_claim", take=True)) == "ok"
    assert code(await page.ask("unmute")) == "ok"


async def test_a_second_page_leaves_the_first_ones_microphone_alone(web: Site) -> None:
    room, ada = await run(table)()
    async with Page(room, ada, page=FIRST) as first, Page(room, ada, page=SECOND) as second:
        await speaks(first)
        for verb in ("speak_stop", "speak_claim", "unmute"):
            assert code(await second.ask(verb)) == "mic_elsewhere", verb
        assert code(await second.ask("speak_offer", sdp="v=0")) == "mic_elsewhere", "refused before anything is read"
        assert not await muted(ada)
        assert [told["page"] for told in first.of_type("mic_moved")] == [FIRST]


async def test_the_newest_act_wins_once(web: Site) -> None:
    room, ada = await run(table)()
    async with Page(room, ada, page=FIRST) as first, Page(room, ada, page=SECOND) as second:
        await speaks(first)
        assert code(await second.ask("speak_claim", take=True)) == "ok"
        assert (await first.wait_for(lambda m: m.get("type") == "mic_moved" and m["page"] == SECOND))[
            "room"
        ] == room.slug
        assert await muted(ada), "it moves closed: nobody opened it in the second page"
        for verb in ("speak_claim", "unmute", "speak_stop"):
            assert code(await first.ask(verb)) == "mic_elsewhere", "what a page does by itself takes nothing back"
        assert code(await second.ask("unmute")) == "ok"
        await speaks(first)
        assert code(await second.ask("unmute")) == "mic_elsewhere"


async def test_who_takes_it_at_once_from_two_pages_has_it_in_one(web: Site) -> None:
    room, ada = await run(table)()
    async with Page(room, ada, page=FIRST) as first, Page(room, ada, page=SECOND) as second:
        answers = await asyncio.gather(*(page.ask("speak_claim", take=True) for page in (first, second)))
        assert [code(answer) for answer in answers] == ["ok", "ok"]
        codes = {page: code(await page.ask("unmute")) for page in (first, second)}
        assert sorted(codes.values()) == ["mic_elsewhere", "ok"]


def busy(room: Room, held: threading.Event, seconds: float) -> None:
    """Somebody else is at work in the room for a moment."""
    with transaction.atomic():
        Room.objects.select_for_update().get(pk=room.pk)
        held.set()
        time.sleep(seconds)
    connection.close()


async def test_a_page_that_goes_has_its_last_word(web: Site) -> None:
    """A page that is loaded again says that it speaks no more and is gone at once, while others are served."""
    room, ada = await run(table)()
    held = threading.Event()
    async with Page(room, ada, page=FIRST) as first:
        await speaks(first)
        assert code(await first.ask("speak_offer", sdp="v=0")) == "bad_sdp", "a line with sound is waited for"
        other = asyncio.create_task(asyncio.to_thread(busy, room, held, 1.0))
        await asyncio.to_thread(held.wait, 10)
        for number, verb in enumerate(("mute", "speak_stop")):
            await first.socket.send(json.dumps({"id": 1000 + number, "do": verb}))
    await other
    async with Page(room, ada, page=SECOND) as second:
        answers = []
        for _time in range(30):  # six seconds: a line that was only lost is waited for longer
            answers.append(code(await second.ask("speak_claim")))
            if answers[-1] == "ok":
                break
            await asyncio.sleep(0.2)
        assert answers[-1] == "ok", answers
        assert await muted(ada)


async def test_a_page_keeps_its_microphone_when_its_line_comes_back(web: Site) -> None:
    room, ada = await run(table)()
    async with Page(room, ada, page=FIRST) as first:
        await speaks(first)
        assert code(await first.ask("speak_offer", sdp="v=0")) == "bad_sdp"
    async with Page(room, ada, page=SECOND) as second:
        assert code(await second.ask("speak_stop")) == "mic_elsewhere", "the first page has lost its line a moment ago"
        async with Page(room, ada, page=FIRST) as first:
            assert code(await first.ask("unmute")) == "ok"
            assert not await muted(ada)


async def test_a_page_that_went_leaves_a_closed_microphone(web: Site) -> None:
    """A reload: the page says that it goes, and the next one finds the microphone closed and free."""
    room, ada = await run(table)()
    async with Page(room, ada, page=FIRST) as first, Page(room, ada, page=SECOND) as second:
        await speaks(first)
        assert code(await first.ask("speak_stop")) == "ok"
        assert await muted(ada)
        await second.wait_for(lambda message: message.get("type") == "mic_moved" and message["page"] == "")
        assert code(await second.ask("speak_claim")) == "ok"


async def test_a_page_that_closed_without_a_word_holds_nothing(web: Site) -> None:
    room, ada = await run(table)()
    async with Page(room, ada, page=FIRST) as first:
        await speaks(first)  # by verbs of the table alone: it never asked for sound, so its line is not waited for
    async with Page(room, ada, page=SECOND) as second:
        answers = []
        for _try in range(100):
            answers.append(code(await second.ask("speak_stop")))
            if answers[-1] == "ok":
                break
            await asyncio.sleep(0.1)
        assert answers[-1] == "ok", "the server hears of a closed line in a moment"
        assert await muted(ada)


async def test_names_that_no_page_gives_itself_are_not_taken(web: Site) -> None:
    room, ada = await run(table)()
    odd = "&".join(f"page={n}" for n in range(50))
    for name in ("short", "a.b.c.d.e.f", "u:1|x.y.z", "x" * 100, "%00%ff", odd):
        async with Page(room, ada, page=name) as page, Page(room, ada, page=name) as other:
            await speaks(page)
            assert code(await other.ask("unmute")) == "mic_elsewhere", "each is a page of its own"
            assert code(await page.ask("speak_stop")) == "ok"
