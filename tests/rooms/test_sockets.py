"""Rooms over real sockets: Daphne in a process of its own, PostgreSQL, Redis, and clients as browsers are."""

from __future__ import annotations

import asyncio

from channels.db import database_sync_to_async as sync_to_async
from django.conf import settings

from rooms.models import Room, Seat
from tests.support.client import Page, code
from tests.support.people import person
from tests.support.processes import Site
from tests.support.rooms import consented, open_room, seated

run = sync_to_async


async def test_a_room_from_opening_to_end(web: Site) -> None:
    room = await run(open_room)()
    guest = await run(person)("guest")
    async with Page(room, room.host) as host, Page(room, guest) as page, Page(room) as stranger:
        first = await page.wait_for("snapshot")
        assert first["room"]["slug"] == room.slug and first["room"]["status"] == "live"
        assert [seat["user"] for seat in first["seats"]] == ["host"]
        assert first["you"] == {
            "user": "guest",
            "may": {
                "take_seat": True,
                "why_not": None,
                "never_speak": None,
                "speak_under": ["everyone"],
                "manage": False,
                "end": False,
            },
            "consented": False,
            "captions_off": False,
            "parts": {
                "removed": [],
                "blocked_on_stage": [],
                "hands": {"queue": None, "count": None, "own": None},
                "staff": None,
                "unread": 0,
                "unseen": None,
                "panel": None,
                "invitations": {"own": None, "list": None, "links": None, "counts": None},
            },
        }
        assert code(await page.ask("take_seat")) == "not_consented"
        assert code(await page.ask("consent", version="1999")) == "bad_value"
        assert code(await page.ask("consent", version=settings.CONSENT_VERSION)) == "ok"
        assert await page.ask("take_seat") == {"re": page.number, "ok": True, "place": 1}
        assert code(await page.ask("take_seat")) == "ok", "sitting already is no error"
        taken = await stranger.wait_for("seat_taken")
        assert taken["data"]["seat"]["user"] == "guest" and taken["data"]["seat"]["muted"] is True
        assert code(await page.ask("unmute")) == "ok"
        assert (await stranger.wait_for("seat_muted"))["data"] == {
            "user": "guest",
            "muted": False,
            "held": False,
            "by": None,
        }
        assert code(await host.ask("unmute", user="guest")) == "not_allowed"
        assert code(await page.ask("mute", user="host")) == "not_host"
        assert code(await host.ask("mute", user="guest")) == "ok"
        assert (await page.wait_for("you_muted"))["by"] == "host"
        assert code(await page.ask("end")) == "not_host"
        assert code(await host.ask("unseat", user="guest")) == "ok"
        assert (await page.wait_for("you_unseated"))["room"] == room.slug
        assert code(await host.ask("unmute")) == "not_consented", "a host agrees too"
        assert code(await host.ask("end")) == "ok"
        for one in (page, stranger):
            assert (await one.wait_for("room_ended"))["data"]["reason"] == "host"
        assert code(await page.ask("take_seat")) == "room_ended"
        assert stranger.seqs == list(range(stranger.snapshot["seq"] + 1, stranger.seqs[-1] + 1))


async def test_signed_out_people_listen_and_take_no_seat(web: Site) -> None:
    room = await run(open_room)()
    async with Page(room) as page:
        assert (await page.wait_for("snapshot"))["you"]["may"]["why_not"] == "not_signed_in"
        for verb in ("take_seat", "leave_seat", "mute", "unmute", "end", "consent", "check_offer"):
            assert code(await page.ask(verb)) == "not_signed_in", verb
        assert code(await page.ask("unseat", user="host")) == "not_signed_in"
        assert (await page.ask("ice"))["servers"] == []


async def test_fifty_race_for_ten_places_and_for_the_last_one(web: Site) -> None:
    room = await run(open_room)()
    people = [await run(lambda n=n: consented(person(f"racer{n}"), room))() for n in range(50)]
    pages = [Page(room, user) for user in people]
    await asyncio.gather(*(page.__aenter__() for page in pages))
    try:
        await asyncio.gather(*(page.wait_for("snapshot") for page in pages))
        answers = await asyncio.gather(*(page.ask("take_seat", within=30) for page in pages))
        codes = [code(answer) for answer in answers]
        assert codes.count("ok") == 10 and codes.count("stage_full") == 40
        assert sorted(answer["place"] for answer in answers if "place" in answer) == list(range(1, 11))
        last = room.seq + 10
        await asyncio.gather(
            *(page.wait_for(lambda m: m.get("seq") == last) for page in pages if last not in page.seqs)
        )
        for page in pages:
            assert page.seqs == list(range(page.snapshot["seq"] + 1, last + 1)), (
                "in order, nothing missing, nothing twice"
            )
        assert await run(speakers)(room) == 10
        await asyncio.gather(*(page.ask("leave_seat") for page, said in zip(pages, codes, strict=True) if said == "ok"))
        for number in range(9):
            await run(seated)(f"early{number}", room)
        codes = [code(answer) for answer in await asyncio.gather(*(page.ask("take_seat", within=30) for page in pages))]
        assert codes.count("ok") == 1 and codes.count("stage_full") == 49
        losers = [page for page, said in zip(pages, codes, strict=True) if said != "ok"]
        answers = await asyncio.gather(*(page.ask("raise_hand", within=30) for page in losers))
        assert sorted(answer["place"] for answer in answers) == list(range(1, 50))
    finally:
        await asyncio.gather(*(page.__aexit__(None, None, None) for page in pages))
    assert await run(speakers)(room) == 10


def speakers(room: Room) -> int:
    return Seat.objects.filter(room=room, left_at=None, role="speaker").count()


async def test_the_server_closes_the_sockets_of_a_room_that_is_over(site: Site) -> None:
    """Of clients that stay, and of one that comes after the end; each hears of it first."""
    site.start("web", ROOM_OVER_SECONDS="1")
    room, other = await run(open_room)(), await run(open_room)("other")
    async with Page(room, room.host) as host, Page(room) as stays, Page(other) as elsewhere:
        for page in (host, stays, elsewhere):
            await page.wait_for("snapshot")
        assert code(await host.ask("end")) == "ok"
        assert (await stays.wait_for("room_ended"))["data"]["reason"] == "host"
        async with Page(room) as late:
            assert (await late.wait_for("snapshot"))["room"]["status"] == "ended"
            for page in (stays, host, late):
                assert await page.closed(within=30) == 4403
                assert [one["error"]["code"] for one in page.seen if "error" in one] == ["room_ended"]
        assert code(await elsewhere.ask("ping")) == "ok"
