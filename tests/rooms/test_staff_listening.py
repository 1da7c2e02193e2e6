"""Staff who listen in to a live room: nobody in it can tell, they can do nothing, and it stands in the ledger.

Their sockets are served in this process, where the test gives access; everybody else's by the site's own.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator, Callable, Coroutine
from contextlib import AsyncExitStack
from typing import Any

import pytest
from channels.db import database_sync_to_async as run
from channels.routing import URLRouter
from channels.testing import WebsocketCommunicator
from django.conf import settings
from django.test import Client

from core import bus
from ledger.models import Entry
from people.models import Session, User
from people.staff_gate import fresh_sessions
from rooms import actions, presence
from rooms.actions.staff_listening import KIND
from rooms.hooks import staff_access
from rooms.live.hub import Hub, _hubs, hub
from rooms.live.routing import websocket_urlpatterns
from rooms.live.ticker import counts
from rooms.live.verbs.table import VERBS
from rooms.models import Room
from rooms.queries.audience import audience
from rooms.rules.admission import Guest, refused
from rooms.rules.identity import Who, is_staff_conn, new_conn, page_of
from rooms.wire.snapshot import snapshot
from social.actions.blocks import block
from tests.support.client import Page, code
from tests.support.people import person, session_cookie
from tests.support.processes import Site
from tests.support.rooms import open_room, seated
from tests.support.staff import sign_in_staff, use_second_step
from tests.support.waiting import until

pytestmark = pytest.mark.django_db(transaction=True)
FOR_STAFF = {"ping", "snapshot", "leave", "listen", "listen_answer", "listen_stop", "candidate", "ice"}
ORIGIN = f"http://localhost:{settings.PORT}"


@pytest.fixture
def given() -> Any:
    """Pairs of account and room to which the app above gives access."""
    pairs: set[tuple[int, int]] = set()
    staff_access.register("test")(lambda user_pk, room_pk: (user_pk, room_pk) in pairs)
    yield pairs
    staff_access.unregister("test")


@pytest.fixture
async def own_hub() -> AsyncGenerator[Hub]:
    yield hub()
    made = _hubs.pop(asyncio.get_running_loop())
    for task in list(made.tasks):
        task.cancel()
    await asyncio.gather(*made.tasks, return_exceptions=True)
    await made.redis.aclose()


class StaffPage(WebsocketCommunicator):  # type: ignore[misc]  # Channels is not typed
    """A page that opens a room's socket as staff, in this process."""

    def __init__(self, room: Room, cookie: str, query: str = "?staff=1") -> None:
        headers = [(b"host", b"localhost"), (b"origin", ORIGIN.encode()), (b"cookie", cookie.encode())]
        super().__init__(URLRouter(websocket_urlpatterns), f"/ws/rooms/{room.slug}/{query}", headers)
        self.number = 0
        self.seen: list[dict[str, Any]] = []

    async def hears(self, kind: str) -> dict[str, Any]:
        async with asyncio.timeout(20):
            while True:
                message: dict[str, Any] = json.loads(await self.receive_from(timeout=20))
                self.seen.append(message)
                if kind in (message.get("type"), *message):
                    return message

    async def ask(self, verb: str, **args: Any) -> dict[str, Any]:
        self.number += 1
        await self.send_to(json.dumps({"id": self.number, "do": verb, **args}))
        while (answer := await self.hears("re"))["re"] != self.number:
            continue
        return answer

    async def closed(self) -> tuple[str, int]:
        """The code of the refusal, and the close code."""
        error = (await self.hears("error"))["error"]["code"]
        async with asyncio.timeout(20):
            while (output := await self.receive_output(timeout=20))["type"] != "websocket.close":
                continue
        return error, output["code"]


Enter = Callable[..., Coroutine[Any, Any, StaffPage]]


@pytest.fixture
async def enter(own_hub: Hub) -> AsyncGenerator[Enter]:
    """Open the socket of a member of staff, whose snapshot is the first thing to come."""
    async with AsyncExitStack() as stack:

        async def opened(room: Room, user: User, cookie: str = "") -> StaffPage:
            page = StaffPage(room, cookie or await run(session_cookie)(user))
            assert (await page.connect())[0]
            stack.push_async_callback(page.disconnect)
            return page

        yield opened


def moderator(handle: str = "mod") -> User:
    return person(handle, is_staff=True)


def shown(room: Room) -> str:
    """All that the room shows to its host and to a guest, byte by byte, but for the clock."""
    guest = User.objects.get(handle="guest")
    seen: list[Any] = [snapshot(room.pk, Who.of_user(user)) for user in (room.host, guest)]
    for one in seen:
        one.pop("now")
    seen += [repr(audience(room, Who.of_user(user))) for user in (room.host, guest)]
    seen += [sorted(presence.people_here(room.pk)[0]), presence.people_here(room.pk)[1]]
    return json.dumps(seen, sort_keys=True, default=str)


def kept_in_redis(room: Room) -> dict[str, Any]:
    """Every key of the room's presence, with the people and pages in it."""
    client: Any = bus.client()
    members = client.zrange(bus.key(f"presence:{room.pk}"), 0, -1)
    people = client.hgetall(bus.key(f"presence:{room.pk}:people"))
    keys = sorted(client.keys(bus.key(f"presence:{room.pk}*")))
    return {"members": sorted(members), "people": people, "keys": keys}


async def test_the_room_cannot_tell(web: Site, enter: Enter, own_hub: Hub, given: set[tuple[int, int]]) -> None:
    room, mod = await run(open_room)(), await run(moderator)()
    guest = await run(seated)("guest", room)
    given.add((mod.pk, room.pk))
    async with Page(room, room.host) as host, Page(room, guest) as hers:
        for page in (host, hers):
            await page.wait_for("snapshot")
        await run(actions.set_unseen)(room, guest, False)
        await until(lambda: run(lambda: presence.people_here(room.pk)[1] == 2)())
        await asyncio.sleep(1.2)  # the count that is due after two came in
        before, kept, heard = await run(shown)(room), await run(kept_in_redis)(room), len(host.seen)
        page = await enter(room, mod)
        own = await page.hears("snapshot")
        assert own["you"]["user"] is None and own["you"]["may"]["why_not"] == "staff_listens"
        assert not any(own["you"]["may"][right] for right in ("take_seat", "manage", "end"))
        await own_hub.refresh_presence()
        assert (await counts(own_hub, [room.pk]))[room.pk] == 0
        await asyncio.sleep(1.5)
        assert await run(shown)(room) == before and await run(kept_in_redis)(room) == kept
        await page.disconnect()
        await asyncio.sleep(1.5)
        assert await run(shown)(room) == before and await run(kept_in_redis)(room) == kept
        new = [message["type"] for one in (host, hers) for message in one.seen[heard:] if message["type"] != "beat"]
        assert [kind for kind in new if kind not in ("unread", "unseen", "count", "snapshot")] == []
        assert {one["listening"] for one in host.of_type("count")[1:]} <= {0}
        assert (await host.ask("end"))["ok"]
    assert "mod" not in json.dumps(host.seen + hers.seen)
    entry = await run(Entry.objects.get)(kind=KIND)
    assert (entry.subject, entry.actor) == (f"room:{room.pk}", mod.pk) and set(entry.data) == {"room_ms"}


async def test_what_happens_reaches_them_and_nothing_that_is_theirs_as_a_guest(
    web: Site, enter: Enter, given: set[tuple[int, int]]
) -> None:
    room, mod = await run(open_room)(), await run(moderator)()
    given.add((mod.pk, room.pk))
    page = await enter(room, mod)
    await page.hears("snapshot")
    async with Page(room, mod) as own:  # the same person, as a guest
        await own.wait_for("snapshot")
        assert code(await own.ask("listen_unseen", unseen=True)) == "ok"
        await until(lambda: own.of_type("unseen"))
    await run(seated)("ada", room)
    told = await page.hears("seq")
    assert (told["type"], told["data"]["seat"]["user"]) == ("seat_taken", "ada")
    assert "unseen" not in {message.get("type") for message in page.seen}


async def test_staff_can_do_nothing_but_listen(enter: Enter, given: set[tuple[int, int]]) -> None:
    assert {name for name, verb in VERBS.items() if verb.for_staff} == FOR_STAFF
    room, mod = await run(open_room)(), await run(moderator)()
    given.add((mod.pk, room.pk))
    page = await enter(room, mod)
    await page.hears("snapshot")
    for verb in VERBS.keys() - FOR_STAFF:
        assert code(await page.ask(verb, user="host", kind="clap", unseen=False)) == "staff_listens", verb
    assert code(await page.ask("ping")) == code(await page.ask("ice")) == code(await page.ask("snapshot")) == "ok"
    row = await run(Room.objects.get)(pk=room.pk)
    assert row.is_live and row.seq == room.seq
    given.clear()
    assert code(await page.ask("ice")) == code(await page.ask("listen")) == "no_staff_access"


async def test_no_block_removal_or_policy_of_the_host_keeps_staff_out(
    enter: Enter, given: set[tuple[int, int]]
) -> None:
    room, mod = await run(open_room)(entry_policy="invited"), await run(moderator)()
    given.add((mod.pk, room.pk))
    await run(actions.remove_person)(room.pk, mod, by=room.host)
    await run(block)(room.host, mod)
    await run(block)(mod, room.host)
    page = await enter(room, mod)
    assert (await page.hears("snapshot"))["room"]["slug"] == room.slug
    assert code(await page.ask("ice")) == "ok"
    browser = await run(sign_in_staff)(Client(), mod)
    assert (await run(browser.get)(room.get_absolute_url())).status_code == 403
    shown = await run(browser.get)(room.get_absolute_url() + "?staff=1")
    assert shown.status_code == 200 and b"data-staff" in shown.content
    assert (await run(browser.get)(f"/r/{room.slug}/live.m3u8")).status_code == 403
    assert (await run(browser.get)(f"/r/{room.slug}/staff/live.m3u8")).status_code == 503  # no piece yet, but admitted


async def test_who_has_no_right_to_it_is_refused(enter: Enter, given: set[tuple[int, int]]) -> None:
    room, mod, anna = await run(open_room)(), await run(moderator)(), await run(person)("anna")
    speaker = await run(seated)("speaker", room)
    others = await run(open_room)("other")
    for user in (mod, anna, speaker, room.host):
        given.add((user.pk, room.pk))
    await run(User.objects.filter(pk__in=[speaker.pk, room.host_id]).update)(is_staff=True)
    stale = await run(lambda: sign_in_staff(Client(), mod, ago=86400).cookies[settings.SESSION_COOKIE_NAME].value)()
    for place, user, cookie in (
        (room, anna, ""),  # no staff
        (others, mod, ""),  # another room
        (room, mod, f"{settings.SESSION_COOKIE_NAME}={stale}"),
        (room, await run(User.objects.get)(pk=speaker.pk), ""),
        (room, await run(User.objects.get)(pk=room.host_id), ""),
    ):
        page = await enter(place, user, cookie)
        assert await page.closed() == ("no_staff_access", 4403), user
    page = await enter(room, mod, "nothing=here")
    assert await page.closed() == ("not_signed_in", 4403)
    assert not await run(Entry.objects.filter(kind=KIND).exists)()
    assert await run(presence.people_here)(room.pk) == (set(), 0)
    browser = await run(lambda: sign_in_staff(Client(), anna))()
    assert (await run(browser.get)(f"/r/{room.slug}/?staff=1")).status_code == 403
    assert (await run(browser.get)(f"/r/{room.slug}/staff/live.m3u8")).status_code == 403
    assert (await run(Client().get)(f"/r/{room.slug}/staff/live.m3u8")).status_code == 401
    old = await run(lambda: sign_in_staff(Client(), mod, ago=86400))()
    sent_on = await run(old.get)(f"/r/{room.slug}/?staff=1")
    assert sent_on.status_code == 302 and "staff%3D1" in sent_on.url


async def test_the_right_is_asked_again(enter: Enter, own_hub: Hub, given: set[tuple[int, int]]) -> None:
    room, mod, senior = await run(open_room)(), await run(moderator)(), await run(moderator)("senior")
    given |= {(mod.pk, room.pk), (senior.pk, room.pk)}
    one, two = await enter(room, mod), await enter(room, senior)
    for page in (one, two):
        await page.hears("snapshot")
    given.discard((mod.pk, room.pk))
    await own_hub.check_all_rights()
    assert await one.closed() == ("no_staff_access", 4403)
    await run(Session.objects.filter(user=senior).update)(session_data="")
    await own_hub.check_all_rights()
    assert await two.closed() == ("no_staff_access", 4403)


async def test_an_hour_of_listening_is_no_pause_where_the_page_is_seen(
    enter: Enter, own_hub: Hub, given: set[tuple[int, int]]
) -> None:
    """The page's ping keeps the listening in to this room, and no other right; the second step's age is the limit."""
    room, other, mod, away = (
        await run(open_room)(),
        await run(open_room)("other"),
        await run(moderator)(),
        await run(moderator)("away"),
    )
    given |= {(mod.pk, room.pk), (mod.pk, other.pk), (away.pk, room.pk)}
    browsers = {user: await run(sign_in_staff)(Client(), user) for user in (mod, away)}
    cookies = {
        user: f"{settings.SESSION_COOKIE_NAME}={browser.cookies[settings.SESSION_COOKIE_NAME].value}"
        for user, browser in browsers.items()
    }

    def used(ago_minutes: int) -> None:
        for user, browser in browsers.items():
            session = browser.session
            use_second_step(session, user, ago_minutes * 60)
            session.save()

    pages = {user: await enter(room, user, cookies[user]) for user in (mod, away)}
    for page in pages.values():
        await page.hears("snapshot")
    assert code(await pages[mod].ask("ping")) == "ok"
    await run(used)(settings.STAFF_IDLE_MINUTES + 1)
    await own_hub.check_all_rights()
    assert await pages[away].closed() == ("no_staff_access", 4403), "its page was in nobody's sight"
    assert code(await pages[mod].ask("ice")) == "ok"
    again = await enter(room, mod, cookies[mod])
    await again.hears("snapshot")  # a line that was lost for a moment
    assert await (await enter(other, mod, cookies[mod])).closed() == ("no_staff_access", 4403), "another room"
    session = (await run(Session.objects.get)(user=mod)).ident
    assert not await run(fresh_sessions)([session])
    assert (await run(browsers[mod].get)("/admin/")).status_code == 302, "no other right lives on by it"
    await run(used)(settings.STAFF_SECOND_STEP_MINUTES + 1)
    assert code(await pages[mod].ask("ping")) == "ok"
    await own_hub.check_all_rights()
    assert await pages[mod].closed() == ("no_staff_access", 4403), "a second step that is too old ends it all the same"


async def test_a_room_s_end_closes_the_sockets_of_staff(
    enter: Enter, own_hub: Hub, given: set[tuple[int, int]]
) -> None:
    room, mod = await run(open_room)(), await run(moderator)()
    given.add((mod.pk, room.pk))
    page = await enter(room, mod)
    await page.hears("snapshot")
    await run(actions.end_room)(room.pk, room.host)
    await page.hears("data")
    await own_hub.check_all_rights()
    assert await page.closed() == ("room_ended", 4403)


async def test_the_media_supervisor_asks_the_same(given: set[tuple[int, int]]) -> None:
    """It ends the sound of a connection by its name alone, which no client can choose to look like that of staff."""
    room, mod = await run(open_room)(), await run(moderator)()
    given.add((mod.pk, room.pk))
    await run(block)(room.host, mod)
    await run(session_cookie)(mod)
    ident = (await run(Session.objects.get)(user=mod)).ident
    who = Who.of_user(mod).key
    as_staff, as_guest = (Guest(room.pk, who, new_conn(ident, "a" * 8, as_staff=flag)) for flag in (True, False))
    assert await run(refused)([as_staff, as_guest]) == {as_guest: "not_allowed"}
    given.clear()
    assert (await run(refused)([as_staff]))[as_staff] == "no_staff_access"
    assert page_of(as_staff.conn) == "a" * 8
    assert not is_staff_conn(new_conn(ident, "12345678.x.staff")) and not is_staff_conn(new_conn(ident, "page.staff"))


async def test_one_entry_for_ten_minutes(enter: Enter, given: set[tuple[int, int]]) -> None:
    room, mod = await run(open_room)(), await run(moderator)()
    given.add((mod.pk, room.pk))
    cookie = await run(session_cookie)(mod)
    for _time in range(3):
        page = await enter(room, mod, cookie)
        await page.hears("snapshot")
        await page.disconnect()
    assert await run(Entry.objects.filter(kind=KIND).count)() == 1
