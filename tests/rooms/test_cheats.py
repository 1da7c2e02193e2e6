"""Messages that no client of ours sends: each is refused with its code, without a server error or a loss."""

from __future__ import annotations

import json
import secrets
from contextlib import suppress

import pytest
from channels.db import database_sync_to_async as run
from django.conf import settings
from websockets.exceptions import ConnectionClosed, InvalidStatus

from rooms import actions
from rooms.models import Room, RoomEvent, Seat
from rooms.rules.identity import COOKIE
from tests.support.client import Page, code
from tests.support.people import person
from tests.support.processes import Site
from tests.support.rooms import consented, open_room, seated


async def untouched(room: Room, seq: int) -> None:
    """Nothing of what was tried is in the room's log, and who comes in now sees the room as it is."""
    assert await run(RoomEvent.objects.filter(room=room).count)() == seq
    await run(room.refresh_from_db)()
    assert room.seq == seq and room.is_live
    async with Page(room) as good:
        fresh = await good.wait_for("snapshot")
        assert (fresh["seq"], fresh["room"]["status"]) == (seq, "live")
        assert code(await good.ask("ping")) == "ok"


async def test_an_address_that_is_no_rooms(web: Site) -> None:
    async with Page("nosuchroom") as page:
        assert code(await page.wait_for(lambda message: "error" in message)) == "unknown_room"
        assert await page.closed() == 4404


async def test_a_room_that_ended_shows_so_and_does_nothing(web: Site) -> None:
    room = await run(open_room)()
    await run(actions.end_room)(room.pk, room.host)
    seq = room.seq
    async with Page(room, room.host) as page:
        first = await page.wait_for("snapshot")
        assert first["room"]["status"] == "ended" and first["seats"] == []
        assert first["you"]["may"] == {
            "take_seat": False,
            "why_not": "room_ended",
            "never_speak": None,
            "speak_under": ["everyone"],
            "manage": False,
            "end": False,
        }
        for verb in ("take_seat", "leave_seat", "mute", "unmute", "end", "speak_offer", "listen"):
            assert code(await page.ask(verb)) == "room_ended", verb
        assert code(await page.ask("unseat", user="host")) == "room_ended"
        assert code(await page.ask("consent", version=settings.CONSENT_VERSION)) == "room_ended"
    await run(room.refresh_from_db)()
    assert room.seq == seq + 2, "the host's seat was left, the room ended, nothing more"


GARBAGE: list[str | bytes] = [
    "what?",
    "",
    "null",
    "[]",
    "7",
    '{"id":',
    '{"do":"ping"}',
    '{"id":"1","do":"ping"}',
    '{"id":true,"do":"ping"}',
    '{"id":-1,"do":"ping"}',
    '{"id":1e999,"do":"ping"}',
    '{"id":' + "9" * 5000 + ',"do":"ping"}',
    "[" * 15_000,
    b"\x00\xff\xfe binary",
    json.dumps({"id": 1, "do": "ping", "more": "x" * 17_000}),
    json.dumps({"id": 1, "do": "ping", "more": "é" * 9_000}, ensure_ascii=False),
]


async def test_garbage_is_told_once_then_shut_out(web: Site) -> None:
    room = await run(open_room)()
    for garbage in GARBAGE:
        async with Page(room) as page:
            await page.wait_for("snapshot")
            await page.send(garbage)
            assert code(await page.wait_for(lambda message: "error" in message)) == "bad_frame", garbage[:40]
            assert code(await page.ask("ping")) == "ok", "one mistake is forgiven"
            await page.send(garbage)
            assert code(await page.wait_for(lambda message: "error" in message)) == "bad_frame", garbage[:40]
            assert await page.closed() == 4400
    await untouched(room, 2)


async def test_a_frame_of_a_megabyte_and_one_of_ten(web: Site) -> None:
    room = await run(open_room)()
    async with Page(room) as page:
        await page.wait_for("snapshot")
        await page.send("x" * 1_000_000)
        assert code(await page.wait_for(lambda message: "error" in message)) == "bad_frame"
    async with Page(room) as page:
        await page.wait_for("snapshot")
        with suppress(ConnectionClosed):  # the server hangs up before it has read all of it
            await page.send("x" * 10_000_000)
        assert await page.closed() in (1006, 1009), "the server does not even read it to its end"
    async with Page(room) as page:
        assert (await page.wait_for("snapshot"))["room"]["status"] == "live"
    await untouched(room, 2)


@pytest.mark.parametrize("origin", ["http://[", ""])
async def test_origins_that_are_none(web: Site, origin: str) -> None:
    room = await run(open_room)()
    with pytest.raises(InvalidStatus) as refused:
        async with Page(room, room.host, origin=origin):
            raise AssertionError("connected")
    assert refused.value.response.status_code == 400, "refused by the server before we are asked"


async def test_pages_of_others_cannot_connect(web: Site) -> None:
    room = await run(open_room)()
    others = ("http://evil.example", "http://localhost.evil.example", "null", None, "http://localhost:1", "file://")
    for origin in others:
        with pytest.raises(InvalidStatus) as refused:
            async with Page(room, room.host, origin=origin):
                raise AssertionError(f"{origin} connected")
        assert refused.value.response.status_code == 403


async def test_a_client_that_speaks_janus_language(web: Site) -> None:
    room = await run(open_room)()
    async with Page(room, room.host) as page:
        await page.wait_for("snapshot")
        for message in (
            {"janus": "create", "transaction": "x"},
            {"janus": "attach", "plugin": "janus.plugin.audiobridge", "session_id": 1, "transaction": "y"},
            {"id": 5, "janus": "message", "body": {"request": "join", "room": 1}},
            {"id": 6, "do": "message", "body": {"request": "destroy", "room": room.pk}},
            {"id": 7, "do": "create"},
        ):
            await page.send(message)
            answer = await page.wait_for(lambda message: "error" in message)
            assert code(answer) == "unknown_verb" and answer.get("re") == message.get("id")
    await untouched(room, 2)


async def test_a_forged_seat(web: Site) -> None:
    room = await run(open_room)()
    await run(seated)("speaker", room)
    theirs = await run(Seat.objects.get)(room=room, user__handle="speaker")
    cheat = await run(lambda: consented(person("cheat"), room))()
    async with Page(room, cheat) as page:
        await page.wait_for("snapshot")
        offer = "v=0\r\n"
        assert code(await page.ask("speak_offer", sdp=offer, seat_pk=theirs.pk, user="speaker")) == "not_on_stage"
        assert code(await page.ask("leave_seat", user="speaker", seat=theirs.pk)) == "not_on_stage"
        assert code(await page.ask("unmute", user="speaker")) == "not_allowed"
        assert code(await page.ask("mute", user="speaker")) == "not_host"
        assert code(await page.ask("unseat", user="speaker")) == "not_host"
        assert code(await page.ask("end", by="host", reason="staff")) == "not_host"
        await untouched(room, 3)
        mine = await page.ask("take_seat", user="host", place=0, role="host")
        assert mine["place"] == 2, "whatever a client names, it sits down as itself where a place is free"
        assert code(await page.ask("speak_offer", sdp="not an sdp", seat_pk=theirs.pk)) == "bad_sdp"
        assert code(await page.ask("speak_offer", sdp={"type": "offer"})) == "bad_sdp"
        assert code(await page.ask("candidate", handle="speak", candidate="garbage")) == "bad_candidate"
        assert code(await page.ask("candidate", handle="admin", candidate=None)) == "bad_candidate"
    assert await run(lambda: Seat.objects.get(room=room, left_at=None, place=0).user.handle)() == "host"


async def test_sound_settings_that_are_none(web: Site) -> None:
    room = await run(open_room)()
    guest = await run(seated)("guest", room)
    none: list[object] = ["", "v=0", "not an sdp", "v=0\r\n" * 500, "\x01", {"type": "offer"}, ["v=0"], 7, None]
    async with Page(room, guest) as page:
        await page.wait_for("snapshot")
        for sdp in none:
            for verb in ("speak_offer", "check_offer", "listen_answer"):
                assert code(await page.ask(verb, sdp=sdp)) == "bad_sdp", (verb, sdp)
        candidates: list[object] = ["garbage", 7, [], {"candidate": 7}, {"candidate": "x" * 5000, "sdpMLineIndex": 0}]
        for candidate in candidates:
            assert code(await page.ask("candidate", handle="speak", candidate=candidate)) == "bad_candidate", candidate
    await untouched(room, 3)


async def test_names_that_are_no_handles(web: Site) -> None:
    room = await run(open_room)()
    names: list[object] = ["\ud800", "a\x00b", "x" * 31, 7, ["host"], {"pk": 1}, "../host", "hóst"]
    async with Page(room, room.host) as page:
        await page.wait_for("snapshot")
        for name in names:
            for verb in ("mute", "unseat"):
                assert code(await page.ask(verb, user=name)) == "bad_value"
            assert code(await page.ask("consent", version=name)) == "bad_value"
        assert code(await page.ask("unseat", user="nobody-at-all")) == "not_on_stage"
    await untouched(room, 2)


async def test_forged_cookies_are_nobodys(web: Site) -> None:
    room = await run(open_room)()
    for value in ("a:forged", f"u:{room.host_id}:{secrets.token_urlsafe(20)}", '"', "\u00e9"):
        cookie = f"{COOKIE}={value}; {settings.SESSION_COOKIE_NAME}={value}"
        async with Page(room, headers={"Cookie": cookie}) as page:
            assert (await page.wait_for("snapshot"))["you"]["user"] is None


async def test_floods_are_slowed_then_shut_out(web: Site) -> None:
    room = await run(open_room)()
    async with Page(room) as page:
        await page.wait_for("snapshot")
        for n in range(90):
            await page.send({"id": n, "do": "ping"})
        assert code(await page.wait_for(lambda message: "error" in message)) == "too_fast"
        for n in range(600):
            await page.send({"id": n, "do": "ping"})
        assert await page.closed() == 4400
    async with Page(room) as page:
        await page.wait_for("snapshot")
        assert code(await page.ask("ping")) == "ok"


async def test_an_account_closed_while_its_page_is_open(web: Site) -> None:
    room = await run(open_room)()
    user = await run(lambda: consented(person("leaver"), room))()
    async with Page(room, user) as page:
        await page.wait_for("snapshot")
        user.is_active = False
        await run(user.save)()
        assert code(await page.ask("take_seat")) == "not_signed_in"
    await untouched(room, 2)


async def test_refusals_are_told_in_the_readers_language(web: Site) -> None:
    room = await run(open_room)()
    user = await run(person)("lezer", language="nl")
    async with Page(room, user) as page, Page(room) as other:
        dutch = await page.ask("unmute")
        english = await other.ask("unmute")
        assert dutch["error"]["text"] and english["error"]["text"].startswith("Sign in first")
