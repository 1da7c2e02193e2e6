"""Removal from a room: every way back that a client may try, the rights of the host's side, and its undoing."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from channels.db import database_sync_to_async as run
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from people.models import User
from rooms import actions
from rooms.hooks import export_texts
from rooms.models import Hand, Invitation, Removal, RemovedListener, Room, RoomEvent, Seat
from rooms.queries.live_now import live_rooms
from rooms.rules.identity import COOKIE, Who, listener_mac, sign
from rooms.rules.refusals import RoomRefused
from rooms.wire.snapshot import snapshot
from tests.support.client import Page, code
from tests.support.people import api_client, person
from tests.support.processes import Site
from tests.support.rooms import open_room, seated
from tests.support.waiting import say, until

pytestmark = pytest.mark.django_db(transaction=True)
WITHIN = 20.0  # seconds; promised are 2, which a machine that runs other tests too may miss
MINE = "a:the-guests-browser"


def browser(user: User | None = None, listener: str = "") -> Client:
    client = Client()
    if user is not None:
        client.force_login(user)
    if listener:
        client.cookies[COOKIE] = sign(listener)
    return client


def ways_in(client: Client, room: Room) -> set[int]:
    """Statuses of the page, the API and the list of live sound."""
    paths = (f"/r/{room.slug}/", f"/api/v1/rooms/{room.slug}/", f"/r/{room.slug}/live.m3u8")
    return {client.get(path).status_code for path in paths}


def cohost_of(room: Room, handle: str, place: int = 11) -> User:
    user = person(handle)
    Seat.objects.create(room=room, user=user, role=Seat.Role.COHOST, place=place)
    return user


def sits(user: User) -> bool:
    return Seat.objects.filter(user=user, left_at=None).exists()


def hears_lists(client: Client) -> list[str]:
    return [row["room"]["slug"] for row in client.get("/api/v1/rooms/").json()["rooms"]]


async def put_out(page: Page) -> str:
    message = await page.wait_for(lambda message: "error" in message and "re" not in message, WITHIN)
    assert await page.closed(WITHIN) == 4403
    return str(message["error"]["code"])


async def refused_at_the_door(room: Room, user: User | None = None, listener: str = "") -> str:
    async with Page(room, user, listener=listener) as page:
        return await put_out(page)


async def test_a_removed_speaker_finds_no_way_back(web: Site) -> None:
    room = await run(open_room)()
    guest, other = await run(seated)("guest", room), await run(person)("other")
    mine, program, session = sign(MINE), await run(api_client)(guest), await run(browser)(guest)
    async with (
        Page(room, guest, listener=mine) as phone,
        Page(room, guest) as desk,
        Page(room, room.host) as host,
        Page(room, other) as witness,
        Page(room) as nobody,
        Page(room, listener=mine) as signed_out,
    ):
        for page in (phone, desk, host, witness, nobody, signed_out):
            await page.wait_for("snapshot")
        assert code(await witness.ask("remove", user="guest")) == "not_host"
        assert code(await nobody.ask("remove", user="guest")) == "not_signed_in"
        assert code(await host.ask("remove", user="guest")) == "ok"
        committed = time.monotonic()
        assert {await put_out(page) for page in (phone, desk, signed_out)} == {"not_allowed"}
        say(f"three sockets of a removed person closed {time.monotonic() - committed:.2f} s after the answer")
        await until(lambda: host.of_type("removed"))
        assert host.of_type("removed")[0]["data"] == {"user": "guest", "by": "host"}
        assert (await witness.wait_for("seat_left"))["data"] == {"user": "guest", "reason": "unseated"}
        # A reload, another device, a program, and the same browser signed out.
        assert await refused_at_the_door(room, guest) == "not_allowed"
        assert await refused_at_the_door(room, guest, mine) == "not_allowed"
        assert await refused_at_the_door(room, None, mine) == "not_allowed"
        for client in (session, await run(browser)(None, MINE)):
            assert await run(ways_in)(client, room) == {403}
        assert (await run(program.get)(f"/api/v1/rooms/{room.slug}/")).status_code == 403
        for verb in ("seat", "consent", "mute", "undo-removal"):
            answer = await run(program.post)(
                f"/api/v1/rooms/{room.slug}/{verb}/", {"user": "guest"}, "application/json"
            )
            assert answer.json()["error"]["code"] == "not_allowed"
        assert await run(hears_lists)(program) == []
        assert await run(hears_lists)(await run(api_client)(other)) == [room.slug]
        # A browser that never was this person's may still listen, and all others stay.
        async with Page(room, listener=sign("a:somebody")) as fresh:
            await fresh.wait_for("snapshot")
        assert [code(await page.ask("ping")) for page in (host, witness, nobody)] == ["ok"] * 3
        assert not [page for page in (witness, nobody) if page.of_type("removed") or "removal" in str(page.seen)]
        assert code(await host.ask("snapshot")) == code(await witness.ask("snapshot")) == "ok"
        assert host.snapshot["you"]["parts"]["removed"] == ["guest"]
        assert witness.snapshot["you"]["parts"]["removed"] == []
        assert code(await host.ask("undo_removal", user="guest")) == "ok"
        await until(lambda: host.of_type("removal_undone"))
        assert host.of_type("removal_undone")[0]["data"] == {"user": "guest", "by": "host"}
        async with Page(room, guest, listener=mine) as back:
            await back.wait_for("snapshot")
            assert code(await back.ask("take_seat")) == "ok"


def test_the_log_and_the_download_do_not_say_that_it_was_a_removal() -> None:
    room, calm = open_room(), open_room("other_host")
    guest, twin = seated("guest", room), seated("twin", calm)
    actions.remove_person(room.pk, guest, by=room.host)
    actions.unseat(calm.pk, twin, by=calm.host)
    kinds = [
        list(RoomEvent.objects.filter(room=one).order_by("seq").values_list("type", flat=True)) for one in (room, calm)
    ]
    assert kinds[0] == kinds[1]
    left = RoomEvent.objects.get(room=room, type="seat_left")
    assert left.data == {"user": "guest", "reason": "unseated"}
    for one in (room, calm):
        actions.end_room(one.pk, one.host)
    room.refresh_from_db()
    texts = {name: "".join(text(room) or ()) for name, text in export_texts.items()}
    assert texts["log.jsonl"] and not [name for name, text in texts.items() if "remov" in text or "block" in text]


def test_what_the_browser_sends_when_it_is_refused_is_kept_too() -> None:
    room = open_room()
    guest = person("guest")
    actions.remove_person(room.pk, guest, by=room.host)
    assert not RemovedListener.objects.exists()
    assert ways_in(browser(None, MINE), room) == {200, 503}, "there is no sound yet, but nothing is refused"
    assert browser(guest, MINE).get(f"/r/{room.slug}/").status_code == 403
    assert [row.mac for row in RemovedListener.objects.all()] == [listener_mac(room.pk, MINE)]
    assert MINE not in str(RemovedListener.objects.values()), "the cookie itself is nowhere"
    assert ways_in(browser(None, MINE), room) == {403}
    assert ways_in(browser(None, MINE), open_room("second")) == {200, 503}, "another room is another room"
    assert browser(None, MINE).get(f"/api/v1/rooms/{room.slug}/").json()["error"]["code"] == "not_allowed"
    for number in range(30):
        browser(guest, f"a:another{number}").get(f"/r/{room.slug}/")
    assert RemovedListener.objects.count() == 20, "a cheat fills no table"
    actions.undo_removal(room.pk, guest, by=room.host)
    assert not RemovedListener.objects.exists()
    assert ways_in(browser(None, MINE), room) == {200, 503}


def shown(client: Client, room: Room) -> list[bool]:
    """Whether the list of the API, the home page, and the host's page and their data lead to the room."""
    host, address = f"people/{room.host.handle}/", room.get_absolute_url()
    pages = [client.get(path).content.decode() for path in ("/", f"/{host}")]
    live = client.get(f"/api/v1/{host}").json()["live"]
    return [room.slug in hears_lists(client), *(address in page for page in pages), live == address]


def test_a_removed_browser_is_shown_the_room_nowhere() -> None:
    room, second = open_room(), open_room("second")
    guest = person("guest")
    signed_in, signed_out, fresh = browser(guest, MINE), browser(None, MINE), browser(None, "a:another")
    for client in (signed_in, signed_out, fresh):
        assert shown(client, room) == shown(client, second) == [True] * 4
    signed_in.get(room.get_absolute_url())
    actions.remove_person(room.pk, guest, by=room.host)
    for client in (signed_in, signed_out):
        assert shown(client, room) == [False] * 4 and shown(client, second) == [True] * 4
        assert client.get(room.get_absolute_url()).status_code == 403
    assert shown(fresh, room) == shown(Client(), room) == [True] * 4
    actions.undo_removal(room.pk, guest, by=room.host)
    assert shown(signed_out, room) == shown(signed_in, room) == [True] * 4


def test_the_list_costs_the_same_for_one_room_and_a_dozen() -> None:
    guest = person("guest")
    readers = [Who.of_user(guest), Who(None, MINE)]

    def another(number: int) -> None:
        room = open_room(f"host{number}")
        seated(f"speaker{number}", room)
        removal = Removal.objects.create(room=room, user=guest, by=room.host)
        RemovedListener.objects.create(removal=removal, mac=listener_mac(room.pk, MINE if number else "a:another"))

    def cost() -> list[tuple[int, int]]:
        costs = []
        for who in readers:
            with CaptureQueriesContext(connection) as queries:
                costs.append((len(live_rooms(who)), len(queries)))
        return costs

    open_room("open")
    another(0)
    assert cost() == [(1, 3), (2, 3)]
    for number in range(1, 12):
        another(number)
    assert cost() == [(1, 3), (2, 3)]


def test_a_cookie_of_a_visit_before_is_kept_with_the_removal() -> None:
    room = open_room()
    guest, other = person("guest"), person("other")
    browser(guest, MINE).get(f"/r/{room.slug}/")
    browser(other, "a:others").get(f"/r/{room.slug}/")
    actions.remove_person(room.pk, guest, by=room.host)
    assert ways_in(browser(None, MINE), room) == {403}
    assert ways_in(browser(None, "a:others"), room) == {200, 503}
    assert sorted(RemovedListener.objects.values_list("mac", flat=True)) == [listener_mac(room.pk, MINE)]


@pytest.mark.parametrize(
    ("by", "target", "refused"),
    [
        ("host", "host", "not_allowed"),
        ("host", "helper", None),
        ("host", "speaker", None),
        ("host", "absent", None),
        ("helper", "host", "not_allowed"),
        ("helper", "helper", "not_allowed"),
        ("helper", "second", "not_allowed"),
        ("helper", "speaker", None),
        ("helper", "absent", None),
        ("speaker", "absent", "not_host"),
        ("absent", "speaker", "not_host"),
    ],
)
def test_who_may_remove_whom(by: str, target: str, refused: str | None) -> None:
    room = open_room()
    people = {"host": room.host, "helper": cohost_of(room, "helper"), "second": cohost_of(room, "second", 12)}
    people |= {"speaker": seated("speaker", room), "absent": person("absent")}
    before = {name for name, user in people.items() if sits(user)}
    if refused is None:
        actions.remove_person(room.pk, people[target], by=people[by])
        assert before - {name for name, user in people.items() if sits(user)} == before & {target}
        with pytest.raises(RoomRefused, match="not_allowed"):
            actions.take_seat(room.pk, people[target])
        with pytest.raises(RoomRefused, match="not_allowed"):  # a co-host who was removed has no powers left
            actions.remove_person(room.pk, people["second"], by=people[target])
    else:
        with pytest.raises(RoomRefused, match=refused):
            actions.remove_person(room.pk, people[target], by=people[by])
        assert {name for name, user in people.items() if sits(user)} == before and not Removal.objects.exists()


def test_hand_and_invitations_go_with_the_person_and_do_not_come_back() -> None:
    room = open_room(entry_policy="invited")
    guest = person("guest")
    for kind in Invitation.Kind.values:
        Invitation.objects.create(room=room, user=guest, by=room.host, by_helper=True, kind=kind)
    elsewhere = Invitation.objects.create(room=open_room("second"), user=guest, by=room.host, kind="listen")
    Hand.objects.create(room=room, user=guest)
    seq = Room.objects.get(pk=room.pk).seq
    first = actions.remove_person(room.pk, guest, by=room.host)
    assert actions.remove_person(room.pk, guest, by=room.host) == first
    assert Room.objects.get(pk=room.pk).seq == seq, "nobody on stage: nothing in the log"
    assert set(Invitation.objects.filter(room=room).values_list("state", flat=True)) == {"revoked"}
    elsewhere.refresh_from_db()
    assert elsewhere.state == "pending"
    hand = Hand.objects.get()
    assert hand.lowered_at is not None and hand.outcome == "not_allowed"
    actions.undo_removal(room.pk, guest, by=room.host)
    assert ways_in(browser(guest), room) == {403}, "the room is for invited people"
    assert not Hand.objects.filter(lowered_at=None).exists()


def test_undoing_is_for_the_hosts_side_and_for_removed_people() -> None:
    room = open_room()
    helper, guest = cohost_of(room, "helper"), seated("guest", room)
    with pytest.raises(RoomRefused, match="not_removed"):
        actions.undo_removal(room.pk, guest, by=room.host)
    actions.remove_person(room.pk, guest, by=helper)
    for user in (guest, person("stranger")):
        with pytest.raises(RoomRefused, match="not_allowed" if user == guest else "not_host"):
            actions.undo_removal(room.pk, guest, by=user)
    assert removed_seen_by(room, helper) == removed_seen_by(room, room.host) == ["guest"]
    actions.undo_removal(room.pk, guest, by=helper)
    assert removed_seen_by(room, helper) == []
    assert actions.take_seat(room.pk, guest).place == 1
    actions.remove_person(room.pk, guest, by=room.host)
    assert Removal.objects.filter(user=guest).count() == 2
    actions.end_room(room.pk, room.host)
    with pytest.raises(RoomRefused, match="room_ended"):
        actions.undo_removal(room.pk, guest, by=room.host)
    assert live_rooms(Who.of_user(guest)) == []


def removed_seen_by(room: Room, user: User) -> Any:
    return snapshot(room.pk, Who.of_user(user))["you"]["parts"]["removed"]


def test_the_api_removes_and_refuses_with_the_same_codes() -> None:
    room = open_room()
    guest = seated("guest", room)
    host, stranger = api_client(room.host), api_client(person("stranger"))

    def post(client: Client, what: str, handle: Any) -> str:
        answer = client.post(f"/api/v1/rooms/{room.slug}/{what}/", {"user": handle}, "application/json")
        return "ok" if answer.status_code == 200 else str(answer.json()["error"]["code"])

    assert post(stranger, "remove", "guest") == "not_host"
    assert post(host, "remove", "nobody-here") == "unknown_person"
    assert post(host, "remove", "no handle") == "bad_value"
    assert post(host, "undo-removal", "guest") == "not_removed"
    assert post(host, "remove", "GUEST") == "ok" and not sits(guest)
    assert post(stranger, "undo-removal", "guest") == "not_host"
    assert post(host, "undo-removal", "guest") == "ok"


def test_a_removal_and_a_seat_at_once_leave_nobody_seated() -> None:
    room = open_room()
    for number in range(6):
        guest = seated(f"guest{number}", room)
        actions.leave_seat(room.pk, guest)
        gate = threading.Barrier(2)

        def sit(user: User = guest, gate: threading.Barrier = gate) -> None:
            gate.wait(30)
            try:
                actions.take_seat(room.pk, user)
            except RoomRefused as refused:
                assert refused.code == "not_allowed"
            finally:
                connection.close()

        def remove(user: User = guest, gate: threading.Barrier = gate) -> None:
            gate.wait(30)
            try:
                actions.remove_person(room.pk, user, by=room.host)
            finally:
                connection.close()

        with ThreadPoolExecutor(2) as pool:
            for done in [pool.submit(sit), pool.submit(remove)]:
                done.result(60)
        assert not sits(guest) and Removal.objects.filter(user=guest, undone_at=None).count() == 1


def test_a_room_for_followers_is_not_listed_to_a_blocked_or_removed_follower() -> None:
    from social.models import Block, Follow

    room = open_room(entry_policy="followers")
    fan = person("fan")
    Follow.objects.create(follower=fan, followed=room.host)
    assert [live.room for live in live_rooms(Who.of_user(fan))] == [room]
    block = Block.objects.create(blocker=fan, blocked=room.host)
    assert live_rooms(Who.of_user(fan)) == []
    block.delete()
    removal = Removal.objects.create(room=room, user=fan, by=room.host)
    assert live_rooms(Who.of_user(fan)) == []
    removal.undone_at = timezone.now()
    removal.save()
    assert [live.room for live in live_rooms(Who.of_user(fan))] == [room]
    invited = open_room("second", entry_policy="invited")
    assert invited not in [live.room for live in live_rooms(Who.of_user(fan))]
    Invitation.objects.create(room=invited, user=fan, by=invited.host, by_helper=True, kind="listen")
    assert invited in [live.room for live in live_rooms(Who.of_user(fan))]
