"""Co-hosts and hand-overs: rules, races, the host's absence, and what former hosts and followers keep."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from channels.db import database_sync_to_async as run
from django.db import IntegrityError, transaction

from people.models import Sanction, User
from rooms import actions
from rooms.actions import rights
from rooms.models import HandOver, Room, Seat
from rooms.queries.hosted import hosted_rooms, live_room_of
from rooms.rules import permissions
from rooms.rules.facts import facts_of
from rooms.rules.roles import role_in
from tests.rooms.test_sweep import at
from tests.support.client import Page, code
from tests.support.cohosts import fresh, last, stage, with_cohosts
from tests.support.people import api_client, person
from tests.support.processes import Site
from tests.support.races import at_once, number_waiting, said
from tests.support.rooms import consented, open_room, seated
from tests.support.waiting import wait_until

db = pytest.mark.django_db
committed = pytest.mark.django_db(transaction=True)


@db
def test_a_speaker_becomes_cohost_on_the_same_row() -> None:
    room = open_room()
    users = [seated(handle, room) for handle in ("sam", "sue", "tom")]
    sam, sue, tom = users
    before = Seat.objects.get(user=sam)
    actions.set_muted(room.pk, sam, False, by=sam)
    actions.name_cohost(room.pk, sam, by=room.host)
    after = Seat.objects.get(user=sam)
    assert (after.pk, after.role, after.place, after.muted) == (before.pk, "cohost", 11, False)
    assert [(seat["user"], seat["role"], seat["place"]) for seat in last(room, "seats_changed")["seats"]] == [
        ("host", "host", 0),
        ("sue", "speaker", 2),
        ("tom", "speaker", 3),
        ("sam", "cohost", 11),
    ]
    seq = fresh(room).seq
    actions.name_cohost(room.pk, sam, by=room.host)
    assert fresh(room).seq == seq, "once is enough"
    assert (
        said(actions.name_cohost, room.pk, sue, by=sam) == said(actions.name_cohost, room.pk, sue, by=tom) == "not_host"
    )
    assert said(actions.name_cohost, room.pk, sue, by=sue) == "not_host"
    assert said(actions.name_cohost, room.pk, room.host, by=room.host) == "not_allowed"
    assert said(actions.name_cohost, room.pk, person("listener"), by=room.host) == "not_on_stage"
    actions.name_cohost(room.pk, sue, by=room.host)
    assert said(actions.name_cohost, room.pk, tom, by=room.host) == "cohosts_full"
    assert stage(room) == {"host": ("host", 0), "sam": ("cohost", 11), "sue": ("cohost", 12), "tom": ("speaker", 3)}
    actions.leave_seat(room.pk, sam)
    assert facts_of(room, sam).role == "listener"
    actions.take_seat(room.pk, sam)
    assert stage(room)["sam"] == ("speaker", 1), "who leaves the stage is co-host no more"
    actions.name_cohost(room.pk, tom, by=room.host)
    assert stage(room)["tom"] == ("cohost", 11)
    actions.end_room(room.pk, room.host)
    assert said(actions.name_cohost, room.pk, sam, by=room.host) == "room_ended"


@db
def test_powers_of_a_cohost_and_their_limits() -> None:
    room, (cora, carl) = with_cohosts("cora", "carl")
    sam = seated("sam", room)
    actions.set_entry_policy(room.pk, cora, "signed_in")
    for act in (actions.unseat, actions.hold_mute):
        assert said(act, room.pk, room.host, by=cora) == said(act, room.pk, carl, by=cora) == "not_allowed"
    assert said(actions.end_room, room.pk, cora) == "not_host"
    assert said(actions.demote, room.pk, carl, by=cora) == said(actions.demote, room.pk, carl, by=sam) == "not_host"
    assert (
        said(actions.hand_over, room.pk, carl, by=cora) == said(actions.hand_over, room.pk, cora, by=cora) == "not_host"
    )
    assert said(actions.unseat, room.pk, sam, by=cora) == "ok"
    assert said(actions.unseat, room.pk, carl, by=room.host) == "ok"
    assert stage(room) == {"host": ("host", 0), "cora": ("cohost", 11)}


@db
def test_demotion_takes_a_free_place_else_the_audience() -> None:
    room, (cora, carl) = with_cohosts("cora", "carl")
    seat = Seat.objects.get(user=cora)
    sam = seated("sam", room)
    assert said(actions.demote, room.pk, sam, by=room.host) == "not_a_cohost"
    assert said(actions.demote, room.pk, person("listener"), by=room.host) == "not_a_cohost"
    assert said(actions.demote, room.pk, room.host, by=room.host) == "not_a_cohost"
    actions.demote(room.pk, cora, by=cora)
    seat.refresh_from_db()
    assert (seat.role, seat.place, seat.left_at) == ("speaker", 2, None)
    assert said(actions.demote, room.pk, cora, by=cora) == "not_a_cohost"
    for number in range(fresh(room).max_speakers - 2):
        seated(f"more{number}", room)
    actions.demote(room.pk, carl, by=room.host)
    gone = Seat.objects.get(user=carl)
    assert (gone.left_reason, last(room, "seat_left")) == ("unseated", {"user": "carl", "reason": "unseated"})


@db
@pytest.mark.parametrize(
    ("role", "place"), [("cohost", 1), ("cohost", 0), ("cohost", 13), ("speaker", 11), ("host", 11)]
)
def test_the_database_knows_the_places_of_roles(role: str, place: int) -> None:
    room = open_room()
    seated("sam", room)
    with pytest.raises(IntegrityError), transaction.atomic():
        Seat.objects.filter(user__handle="sam").update(role=role, place=place)


@db
def test_the_database_keeps_one_person_a_place_and_one_room_a_host() -> None:
    room, (cora, carl) = with_cohosts("cora", "carl")
    with pytest.raises(IntegrityError, match="seat_one_a_place"), transaction.atomic():
        Seat.objects.filter(user=carl).update(place=11)
    open_room(person("cora2", creator=True))
    with pytest.raises(IntegrityError, match="room_one_live_a_host"), transaction.atomic():
        Room.objects.filter(pk=room.pk).update(host=User.objects.get(handle="cora2"))
    with pytest.raises(IntegrityError, match="hand_over_to_somebody_else"), transaction.atomic():
        HandOver.objects.create(room=room, former=cora, to=cora, reason="given")
    with pytest.raises(IntegrityError, match="room_hands_over_without_host"), transaction.atomic():
        Room.objects.filter(pk=room.pk).update(hands_over=True)


@db
def test_host_and_cohost_swap_places_on_their_own_rows() -> None:
    room, (cora, carl) = with_cohosts("cora", "carl")
    host = room.host
    rows = {seat.user_id: seat.pk for seat in Seat.objects.filter(room=room)}
    consented(host, room)
    for user in (host, carl):
        actions.set_muted(room.pk, user, False, by=user)
    actions.hand_over(room.pk, carl, by=host)
    assert stage(room) == {"carl": ("host", 0), "cora": ("cohost", 11), "host": ("cohost", 12)}
    seats = Seat.objects.filter(room=room)
    assert {seat.user_id: seat.pk for seat in seats} == rows, "nobody got another row"
    assert {seat.user.handle for seat in seats if not seat.muted} == {"host", "carl"}
    assert {(seat.left_at, seat.left_reason) for seat in seats} == {(None, "")}
    changed = last(room, "host_changed")
    assert (changed["host"], changed["former"], changed["reason"]) == ("carl", "host", "given")
    assert [(seat["user"], seat["place"]) for seat in changed["seats"]] == [("carl", 0), ("cora", 11), ("host", 12)]
    row = HandOver.objects.get(room=room)
    assert (row.former, row.to, row.reason) == (host, carl, "given")
    assert said(actions.end_room, room.pk, host) == said(actions.demote, room.pk, cora, by=host) == "not_host"
    assert said(actions.hand_over, room.pk, cora, by=host) == "not_host"
    assert said(actions.unseat, room.pk, carl, by=host) == "not_allowed"
    assert (live_room_of(host), live_room_of(carl)) == (None, room)
    assert actions.open_room(host, title="Another").is_live, "who gave a room away can open one"
    actions.end_room(room.pk, carl)


@db
def test_a_host_without_a_seat_hands_over_too() -> None:
    room, (cora,) = with_cohosts("cora")
    actions.leave_seat(room.pk, room.host)
    actions.hand_over(room.pk, cora, by=room.host)
    assert stage(room) == {"cora": ("host", 0)}
    consented(room.host, room)
    actions.take_seat(room.pk, room.host)
    assert stage(room)["host"] == ("speaker", 1)


@db
def test_a_held_mute_ends_with_becoming_host() -> None:
    room, (cora,) = with_cohosts("cora")
    actions.hold_mute(room.pk, cora, by=room.host)
    actions.hand_over(room.pk, cora, by=room.host)
    seat = Seat.objects.get(user=cora)
    assert (seat.mute_held, seat.muted) == (False, True)
    assert said(actions.set_muted, room.pk, cora, False, by=cora) == "ok"


@db
def test_who_can_receive_a_room() -> None:
    room, (cora, carl) = with_cohosts("cora", "carl")
    sam = seated("sam", room)
    for nobody in (sam, person("listener"), room.host):
        assert said(actions.hand_over, room.pk, nobody, by=room.host) == "not_a_cohost"
    for kind in ("no_hosting", "no_stage", "suspended"):
        sanction = Sanction.objects.create(user=cora, kind=kind, why="shouting")
        assert said(actions.hand_over, room.pk, cora, by=room.host) == "may_not_host", kind
        sanction.delete()
    User.objects.filter(pk=cora.pk).update(is_active=False)
    assert said(actions.hand_over, room.pk, cora, by=room.host) == "may_not_host"
    Room.objects.create(host=carl, title="Elsewhere", started_at=at(0))
    assert said(actions.hand_over, room.pk, carl, by=room.host) == "hosts_elsewhere"
    assert not HandOver.objects.exists() and fresh(room).host == room.host
    actions.end_room(room.pk, room.host)
    assert said(actions.hand_over, room.pk, carl, by=room.host) == "room_ended"


@db
def test_the_copy_goes_with_the_room_and_the_former_host_hears_it() -> None:
    room, (cora, carl) = with_cohosts("cora", "carl")
    actions.hand_over(room.pk, cora, by=room.host)
    actions.leave_seat(room.pk, room.host)
    actions.end_room(room.pk, cora)
    ended = fresh(room)
    roles = {user.handle: role_in(user, ended) for user in (room.host, cora, carl, person("listener"))}
    assert roles == {"host": "speaker", "cora": "host", "carl": "cohost", "listener": "listener"}
    assert permissions.may_download(role=roles["host"], ready=True, restricted=False) == "not_host"
    assert permissions.may_download(role=roles["cora"], ready=True, restricted=False) is None
    heard = permissions.may_replay(kept_out=False, role=roles["host"], published=False, admitted=False)
    assert heard is None and permissions.may_see_recording(is_host=roles["host"] == "host") == "not_host"
    assert [one.room for one in hosted_rooms(cora)] == [ended] and hosted_rooms(room.host) == []


@db
def test_rights_are_checked_again_at_once(
    monkeypatch: pytest.MonkeyPatch, django_capture_on_commit_callbacks: Any
) -> None:
    """The channel of the host's side must follow a role within the commit, not at the next round."""
    asked: list[dict[str, int]] = []
    monkeypatch.setattr(rights, "publish_rights", asked.append)
    room = open_room()
    sam, sue = seated("sam", room), seated("sue", room)
    for act, user, by in (
        (actions.name_cohost, sam, room.host),
        (actions.demote, sam, room.host),
        (actions.name_cohost, sam, room.host),
        (actions.unseat, sam, room.host),
    ):
        asked.clear()
        with django_capture_on_commit_callbacks(execute=True):
            act(room.pk, user, by=by)
        assert asked == [{"person": sam.pk}], act
    actions.name_cohost(room.pk, sue, by=room.host)
    asked.clear()
    with django_capture_on_commit_callbacks(execute=True):
        actions.hand_over(room.pk, sue, by=room.host)
    assert asked == [{"room": room.pk}]


@committed
def test_an_act_that_waits_for_a_hand_over_finds_the_room() -> None:
    """The fault: the room was locked with a join to its host, and the row of a changed host was left out."""
    room, (cora,) = with_cohosts("cora")
    sam = seated("sam", room)
    done, let_go = threading.Event(), threading.Event()

    def hand_over_slowly() -> None:
        with transaction.atomic():
            actions.hand_over(room.pk, cora, by=room.host)
            done.set()
            assert let_go.wait(60)

    with ThreadPoolExecutor(2) as pool:
        giving = pool.submit(at_once, hand_over_slowly)
        assert done.wait(30)
        waiting = pool.submit(at_once, lambda: actions.set_muted(room.pk, sam, False, by=sam))
        try:
            wait_until(number_waiting, what="the other act to wait")
        finally:
            let_go.set()
        assert (giving.result(30), waiting.result(30)) == (["ok"], ["ok"])


@committed
def test_two_hand_overs_at_once() -> None:
    room, (cora, carl) = with_cohosts("cora", "carl")
    give = [lambda to=to: actions.hand_over(room.pk, to, by=room.host) for to in (cora, carl)]
    assert sorted(at_once(*give)) == ["not_host", "ok"]
    row = HandOver.objects.get(room=room)
    assert fresh(room).host == row.to
    assert sorted(stage(room).values()) == [("cohost", 11), ("cohost", 12), ("host", 0)]


@committed
def test_a_hand_over_against_the_end() -> None:
    room, (cora,) = with_cohosts("cora")
    given, ended = at_once(
        lambda: actions.hand_over(room.pk, cora, by=room.host), lambda: actions.end_room(room.pk, room.host)
    )
    assert (given, ended) in (("ok", "not_host"), ("room_ended", "ok"))
    assert fresh(room).is_live == (given == "ok") == HandOver.objects.exists()


@committed
def test_a_hand_over_against_a_room_that_its_receiver_opens() -> None:
    room = open_room()
    cora = consented(person("cora", creator=True), room)
    actions.take_seat(room.pk, cora)
    actions.name_cohost(room.pk, cora, by=room.host)
    given, opened = at_once(
        lambda: actions.hand_over(room.pk, cora, by=room.host), lambda: actions.open_room(cora, title="Mine")
    )
    assert (given, opened) in (("ok", "already_hosting"), ("hosts_elsewhere", "ok"))
    assert Room.objects.filter(host=cora, status="live").count() == 1


@committed
def test_two_demotions_for_one_free_place() -> None:
    room, (cora, carl) = with_cohosts("cora", "carl")
    for number in range(fresh(room).max_speakers - 1):
        seated(f"more{number}", room)
    assert at_once(
        lambda: actions.demote(room.pk, cora, by=room.host), lambda: actions.demote(room.pk, carl, by=carl)
    ) == ["ok", "ok"]
    now = stage(room)
    kept = {"cora", "carl"} & set(now)
    assert len(kept) == 1 and now[kept.pop()] == ("speaker", 10)
    assert last(room, "seat_left")["reason"] == "unseated"


@committed
async def test_over_sockets_and_the_api(web: Site) -> None:
    room = await run(open_room)()
    host = room.host
    sam, sue = await run(seated)("sam", room), await run(seated)("sue", room)
    async with Page(room, host) as hosts, Page(room, sam) as sams, Page(room, sue) as sues, Page(room) as guest:
        assert code(await sams.ask("name_cohost", user="sam")) == "not_host"
        assert code(await hosts.ask("name_cohost", user="sam")) == "ok"
        named = await guest.wait_for("seats_changed")
        assert {seat["user"]: (seat["role"], seat["connected"]) for seat in named["data"]["seats"]} == {
            "host": ("host", True),
            "sue": ("speaker", True),
            "sam": ("cohost", True),
        }
        assert code(await sams.ask("mute", user="sue")) == "ok"
        assert code(await sams.ask("hand_over", user="sue")) == code(await sams.ask("end")) == "not_host"
        assert code(await hosts.ask("name_cohost", user="sue")) == "ok"
        assert code(await sues.ask("demote", user="sam")) == "not_host"
        assert code(await hosts.ask("demote", user="sue")) == "ok"
        told = await sues.wait_for("you_demoted")
        assert told == {"type": "you_demoted", "room": room.slug, "by": "host", "seated": True}

        def api(by: User, path: str, handle: str) -> Any:
            return api_client(by).post(f"/api/v1/rooms/{room.slug}/{path}/", {"user": handle}, "application/json")

        assert (await run(api)(sue, "cohosts", "sue")).json()["error"]["code"] == "not_host"
        assert (await run(api)(sam, "hand-over", "sam")).json()["error"]["code"] == "not_host"
        given = (await run(api)(host, "hand-over", "sam")).json()
        assert given["room"]["host"] == "sam" and given["you"]["may"]["end"] is False
        changed = (await guest.wait_for("host_changed"))["data"]
        assert (changed["host"], changed["former"], changed["reason"]) == ("sam", "host", "given")
        assert code(await hosts.ask("snapshot")) == "ok"
        assert hosts.snapshot["you"]["may"]["manage"] and not hosts.snapshot["you"]["may"]["end"]
        assert code(await hosts.ask("end")) == code(await hosts.ask("hand_over", user="host")) == "not_host"
        assert (await run(api)(sam, "demote", "host")).status_code == 200
        assert code(await hosts.ask("mute_all")) == "not_host"
        assert code(await sams.ask("end")) == "ok"
        assert not guest.of_type("you_demoted")
    assert (await run(fresh)(room)).end_reason == "host"
