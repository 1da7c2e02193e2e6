"""Blocks: follows end, the blocked person notices nothing, and rooms react at once."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from channels.db import database_sync_to_async as run
from django.db import connection
from django.test import Client

from people.models import User
from people.refusals import PeopleRefused
from rooms import actions
from rooms.models import Hand, Invitation, Removal, Room, Seat
from rooms.queries.live_now import live_rooms
from rooms.rules import permissions
from rooms.rules.facts import facts_of
from rooms.rules.identity import Who
from rooms.rules.refusals import RoomRefused
from rooms.wire.snapshot import snapshot
from social.actions.blocks import BLOCKS, block, unblock
from social.actions.follows import follow, unfollow
from social.models import Block, Follow
from tests.support.client import Page, code
from tests.support.people import api_client, person
from tests.support.processes import Site
from tests.support.rooms import open_room, seated

pytestmark = pytest.mark.django_db(transaction=True)


def test_a_block_ends_both_follows_and_undoing_it_restores_neither() -> None:
    anna, bert = person("anna"), person("bert")
    follow(anna, bert)
    follow(bert, anna)
    assert block(anna, bert) is True and block(anna, bert) is False
    assert not Follow.objects.exists() and Block.objects.get().undid_follow
    assert unblock(anna, bert) is True and unblock(anna, bert) is False
    assert not Follow.objects.exists() and not Block.objects.exists()


def test_nobody_blocks_oneself_a_closed_account_or_in_bulk() -> None:
    anna, bert, gone = person(), person(), person(is_active=False)
    with pytest.raises(PeopleRefused, match="not_block_oneself"):
        block(anna, anna)
    with pytest.raises(PeopleRefused, match="unknown_person"):
        block(anna, gone)
    with pytest.raises(PeopleRefused, match="too_fast"):
        for _number in range(BLOCKS.burst + 5):
            block(anna, bert)


def seen(client: Client, handle: str, what: str = "", method: str = "get") -> dict[str, Any]:
    answer = getattr(client, method)(f"/api/v1/people/{handle}/{what}")
    assert answer.status_code == 200, answer.content
    body: dict[str, Any] = answer.json()
    return body


def test_a_blocked_person_sees_and_does_what_they_did_before() -> None:
    anna, bert, carl = person("anna"), person("bert"), person("carl")
    berts, carls = api_client(bert), api_client(carl)
    before = seen(berts, "anna", "follow/", "post")
    own = seen(berts, "bert")
    assert (before["followed_by_you"], before["followers"], own["following"]) == (True, 1, 1)
    block(anna, bert)
    assert seen(berts, "anna") == before and seen(berts, "bert") == own
    assert seen(berts, "anna", "follow/", "post") == before
    without = seen(berts, "anna", "follow/", "delete")
    assert without == {**before, "followed_by_you": False, "followers": 0}
    assert seen(berts, "bert")["following"] == 0
    assert not Block.objects.get().undid_follow
    assert seen(berts, "anna", "follow/", "post") == before
    assert follow(bert, anna) is False, "as twice is once elsewhere"
    assert unfollow(bert, anna) is True and unfollow(bert, anna) is False
    assert follow(bert, anna) is True
    assert not Follow.objects.exists() and Block.objects.get().undid_follow
    assert seen(carls, "anna")["followers"] == seen(carls, "bert")["following"] == 0, "to others nothing is made up"
    assert seen(berts, "anna")["blocked_by_you"] is False


def test_nobody_is_shown_a_room_on_a_profile_that_they_may_not_enter() -> None:
    room = open_room()
    bert, carl, dora = person("bert"), person("carl"), person("dora")
    address = room.get_absolute_url()

    def shown(user: User | None) -> list[bool]:
        client = Client()
        if user is not None:
            client.force_login(user)
        page = client.get("/people/host/").content.decode()
        return [seen(client, "host")["live"] == address, address in page, "live-now" in page]

    assert shown(bert) == shown(carl) == shown(dora) == shown(None) == [True] * 3
    block(room.host, bert)
    block(dora, room.host)
    assert shown(bert) == shown(dora) == [False] * 3
    assert shown(carl) == shown(None) == shown(room.host) == [True] * 3
    follow(carl, room.host)
    actions.set_entry_policy(room.pk, room.host, "followers")
    assert shown(carl) == shown(room.host) == [True] * 3 and shown(None) == shown(person("erik")) == [False] * 3
    actions.remove_person(room.pk, carl, by=room.host)
    assert shown(carl) == [False] * 3
    actions.end_room(room.pk, room.host)
    assert shown(room.host) == [False] * 3


def test_a_blocker_does_not_follow_whom_they_blocked() -> None:
    anna, bert = person("anna"), person("bert")
    block(anna, bert)
    answer = api_client(anna).post("/api/v1/people/bert/follow/")
    assert answer.status_code == 409 and answer.json()["error"]["code"] == "you_blocked_person"
    assert not Follow.objects.exists()


def test_the_api_blocks_lists_and_undoes() -> None:
    anna, bert = person("anna"), person("bert")
    annas = api_client(anna)
    assert seen(annas, "bert", "block/", "post")["blocked_by_you"] is True
    assert [row["handle"] for row in annas.get("/api/v1/me/blocks/").json()["blocks"]] == ["bert"]
    assert api_client(bert).get("/api/v1/me/blocks/").json() == {"blocks": []}
    User.objects.filter(pk=bert.pk).update(is_active=False)
    assert seen(annas, "bert", "block/", "delete")["blocked_by_you"] is False
    assert annas.get("/api/v1/me/blocks/").json() == {"blocks": []}
    assert annas.post("/api/v1/people/bert/block/").json()["error"]["code"] == "unknown_person"
    assert Client().get("/api/v1/me/blocks/").status_code == 401
    assert Client().post("/api/v1/people/anna/block/").status_code == 401


def test_a_follow_and_a_block_at_once_leave_no_follow() -> None:
    anna = person("anna")
    for number in range(6):
        bert = person(f"bert{number}")
        gate = threading.Barrier(3)

        def act(what: Any, *people: User, gate: threading.Barrier = gate) -> None:
            gate.wait(30)
            try:
                what(*people)
            except PeopleRefused as refused:
                assert refused.code == "you_blocked_person"
            finally:
                connection.close()

        with ThreadPoolExecutor(3) as pool:
            pairs = [(follow, bert, anna), (follow, anna, bert), (block, anna, bert)]
            for done in [pool.submit(act, what, *people) for what, *people in pairs]:
                done.result(60)
        assert not Follow.objects.exists() and Block.objects.get(blocked=bert).undid_follow in (True, False)
        assert seen(api_client(bert), "anna")["followed_by_you"] is True


def sits(user: User) -> bool:
    return Seat.objects.filter(user=user, left_at=None).exists()


def cohost_of(room: Room, handle: str, place: int = 11) -> User:
    user = person(handle)
    Seat.objects.create(room=room, user=user, role=Seat.Role.COHOST, place=place)
    return user


def may_enter(room: Room, user: User) -> str | None:
    room.refresh_from_db()
    return permissions.may_enter(facts_of(room, user))


@pytest.mark.parametrize("role", ["speaker", "cohost"])
def test_a_host_who_blocks_removes_at_once_from_this_room_and_all_others(role: str) -> None:
    room = open_room()
    guest = cohost_of(room, "guest") if role == "cohost" else seated("guest", room)
    second = open_room("second")
    Invitation.objects.create(room=room, user=guest, by=room.host, by_helper=True, kind="listen")
    kept = Invitation.objects.create(room=second, user=guest, by=second.host, by_helper=True, kind="listen")
    block(room.host, guest)
    assert not sits(guest) and may_enter(room, guest) == "not_allowed"
    assert Removal.objects.get().room == room
    assert set(Invitation.objects.filter(room=room).values_list("state", flat=True)) == {"revoked"}
    kept.refresh_from_db()
    assert kept.state == "pending"
    with pytest.raises(RoomRefused, match="not_allowed"):
        actions.take_seat(room.pk, guest)
    assert [live.room for live in live_rooms(Who.of_user(guest))] == [second]
    unblock(room.host, guest)
    assert may_enter(room, guest) == "not_allowed", "a removal is undone apart"
    actions.undo_removal(room.pk, guest, by=room.host)
    assert may_enter(room, guest) is None
    block(room.host, guest)
    actions.end_room(room.pk, room.host)
    room = open_room(room.host)
    assert may_enter(room, guest) == "not_allowed" and not Removal.objects.filter(room=room).exists()


def test_cohosts_who_block_guests_the_host_and_each_other() -> None:
    room = open_room()
    helper, second = cohost_of(room, "helper"), cohost_of(room, "second", 12)
    guest = seated("guest", room)
    block(helper, guest)
    assert not sits(guest) and Removal.objects.get().by == helper
    block(helper, second)
    assert sits(helper) and sits(second) and Removal.objects.count() == 1
    block(second, room.host)
    assert not sits(second) and sits(room.host) and may_enter(room, second) == "you_blocked_host"
    assert Seat.objects.get(user=second).left_reason == "left" and Removal.objects.count() == 1


def listed(room: Room) -> list[str]:
    removed: list[str] = snapshot(room.pk, Who.of_user(room.host))["you"]["parts"]["removed"]
    return removed


@pytest.mark.parametrize("by", ["host", "helper"])
def test_a_block_of_somebody_who_never_came_is_in_no_list_and_ends_with_the_block(by: str) -> None:
    """Otherwise host and co-hosts would read from the list of removed people who blocks whom."""
    room = open_room()
    helper, second, away = cohost_of(room, "helper"), cohost_of(room, "second", 12), person("away")
    blocker = {"host": room.host, "helper": helper}[by]
    before = snapshot(room.pk, Who.of_user(room.host))["you"]
    block(blocker, away)
    assert may_enter(room, away) == "not_allowed" and away_page(away, room) == 403
    assert live_rooms(Who.of_user(away)) == []
    assert snapshot(room.pk, Who.of_user(room.host))["you"] == before and listed(room) == []
    with pytest.raises(RoomRefused, match="not_removed"):  # the same as for anybody who was not removed
        actions.undo_removal(room.pk, away, by=room.host)
    block(second, away)
    unblock(blocker, away)
    assert may_enter(room, away) == "not_allowed", "another of them blocks, too"
    unblock(second, away)
    assert may_enter(room, away) is None and away_page(away, room) == 200
    assert [live.room for live in live_rooms(Who.of_user(away))] == [room]


def away_page(user: User, room: Room) -> int:
    client = Client()
    client.force_login(user)
    return client.get(f"/r/{room.slug}/").status_code


def test_letting_somebody_in_who_is_also_blocked_tells_nothing_of_the_block() -> None:
    room = open_room()
    helper, away = cohost_of(room, "helper"), person("away")
    block(helper, away)
    actions.remove_person(room.pk, away, by=room.host)
    assert listed(room) == ["away"]
    actions.undo_removal(room.pk, away, by=room.host)
    assert listed(room) == [] and may_enter(room, away) is None


@pytest.mark.parametrize("was", ["seated", "waiting"])
def test_a_block_of_somebody_who_was_seen_here_is_a_removal(was: str) -> None:
    room = open_room()
    helper = cohost_of(room, "helper")
    guest = seated("guest", room) if was == "seated" else person("guest")
    if was == "seated":
        actions.leave_seat(room.pk, guest)
    else:
        Hand.objects.create(room=room, user=guest)
    block(helper, guest)
    assert listed(room) == ["guest"] and not Hand.objects.filter(lowered_at=None).exists()
    unblock(helper, guest)
    assert may_enter(room, guest) == "not_allowed", "a removal is undone apart"


def test_a_guest_who_blocks_the_host_leaves_and_may_come_back() -> None:
    room = open_room()
    guest, waiting = seated("guest", room), person("waiting")
    Hand.objects.create(room=room, user=waiting)
    for user in (guest, waiting):
        block(user, room.host)
        assert may_enter(room, user) == "you_blocked_host"
    assert Seat.objects.get(user=guest).left_reason == "left" and Hand.objects.get().outcome == "left"
    with pytest.raises(RoomRefused, match="you_blocked_host"):
        actions.take_seat(room.pk, guest)
    assert not Removal.objects.exists() and sits(room.host)
    unblock(guest, room.host)
    assert actions.take_seat(room.pk, guest).place == 1


async def test_only_the_blocker_learns_that_the_blocked_person_takes_a_seat(site: Site) -> None:
    await run(site.start)("web")
    room = await run(open_room)()
    bert = await run(seated)("bert", room)
    await run(actions.leave_seat)(room.pk, bert)
    anna, away = await run(person)("anna"), await run(person)("away")
    await run(block)(anna, bert)
    await run(block)(away, bert)
    helper, carl = await run(cohost_of)(room, "helper"), await run(person)("carl")
    await run(actions.set_unseen)(room, carl, False)
    async with (
        Page(room, anna) as one,
        Page(room, bert) as other,
        Page(room, room.host) as host,
        Page(room) as nobody,
        Page(room, carl) as listens,
    ):
        for page in (one, other, host, nobody, listens):
            await page.wait_for("snapshot")
        # The host's side is told of a listener whom a co-host blocks, and of nobody who is not here.
        await run(block)(helper, away)
        await run(block)(helper, carl)
        removed = await host.wait_for("removed")
        assert removed["data"] == {"user": "carl", "by": "helper"} and await listens.closed(20) == 4403
        assert code(await other.ask("take_seat")) == "ok"
        told = await one.wait_for("blocked_here")
        assert told == {"type": "blocked_here", "room": room.slug, "user": "bert"}
        assert code(await one.ask("snapshot")) == code(await other.ask("snapshot")) == "ok"
        assert one.snapshot["you"]["parts"]["blocked_on_stage"] == ["bert"]
        assert other.snapshot["you"]["parts"]["blocked_on_stage"] == []
        # One who blocks in the room is told in all their pages; a host's block puts out.
        assert [code(await page.ask("ping")) for page in (one, other, host, nobody)] == ["ok"] * 4
        for page in (other, host, nobody):
            assert not page.of_type("blocked_here") and "anna" not in str(page.seen)
        await run(block)(room.host, bert)
        out = await other.wait_for(lambda message: "error" in message, 20)
        assert out["error"]["code"] == "not_allowed" and await other.closed(20) == 4403
        assert (await one.wait_for("seat_left"))["data"] == {"user": "bert", "reason": "unseated"}
        await run(block)(anna, room.host)
        gone = await one.wait_for(lambda message: "error" in message, 20)
        assert gone["error"]["code"] == "you_blocked_host"
        assert code(await host.ask("ping")) == "ok" and "anna" not in str(host.seen)


def test_nothing_of_a_block_is_in_anybody_elses_snapshot_or_the_log() -> None:
    room = open_room()
    anna, bert = seated("anna", room), seated("bert", room)
    readers = [Who.of_user(room.host), Who.of_user(bert), Who.of_user(person("carl")), Who(None, "a:x")]

    def look() -> list[Any]:
        return [{**snapshot(room.pk, who), "now": None} for who in readers]

    before, seq = look(), Room.objects.get(pk=room.pk).seq
    block(anna, bert)
    assert look() == before and Room.objects.get(pk=room.pk).seq == seq
    assert snapshot(room.pk, Who.of_user(anna))["you"]["parts"]["blocked_on_stage"] == ["bert"]
    assert sits(anna) and sits(bert), "both stay"
