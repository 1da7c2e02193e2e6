"""Hands and the speak policy: the order of the queue, who is told what, rights, races, grace time and ends."""

from __future__ import annotations

import importlib
import json
import threading
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from channels.db import database_sync_to_async as run
from django.db import DatabaseError, connection, transaction
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from core import bus
from people.models import Sanction, User
from rooms import actions
from rooms.models import Hand, Invitation, Room, RoomEvent, Seat
from rooms.rules.identity import Who
from rooms.rules.refusals import RoomRefused
from rooms.wire.events import iso_of
from rooms.wire.snapshot import snapshot
from social.models import Follow
from tests.rooms.test_sweep import come, go
from tests.support.client import Page, code
from tests.support.people import api_client, people, person
from tests.support.processes import Site
from tests.support.rooms import consented, open_room, seated
from tests.support.waiting import until

pytestmark = pytest.mark.django_db
WITH_COMMITS = pytest.mark.django_db(transaction=True)


def picky_room(**values: Any) -> Room:
    """A room where others than those whom the host follows raise a hand."""
    return open_room(**{"speak_policy": "followed", **values})


def raised(handle: str, room: Room) -> User:
    user = consented(person(handle), room)
    actions.raise_hand(room.pk, user)
    return user


def queue(room: Room) -> list[str]:
    up = Hand.objects.filter(room=room, lowered_at=None).order_by("raised_at", "id")
    return list(up.values_list("user__handle", flat=True))


def outcomes(room: Room) -> dict[str, str]:
    return dict(Hand.objects.filter(room=room).order_by("id").values_list("user__handle", "outcome"))


def refused(act: Callable[..., Any], *args: Any, **more: Any) -> str:
    with pytest.raises(RoomRefused) as caught:
        act(*args, **more)
    return caught.value.code


def part(room: Room, user: User) -> Any:
    return snapshot(room.pk, Who.of_user(user))["you"]["parts"]["hands"]


@pytest.fixture
def published(monkeypatch: pytest.MonkeyPatch) -> list[list[tuple[str, Any]]]:
    """Everything that is published, as (channel, message), in a list for each round trip."""
    trips: list[list[tuple[str, Any]]] = []

    def take(messages: Any) -> None:
        trips.append([(channel.removeprefix(bus.key("")), json.loads(text)) for channel, text in messages])

    monkeypatch.setattr(bus, "publish_many", take)
    return trips


def to(who: User, trips: list[list[tuple[str, Any]]]) -> list[dict[str, Any]]:
    return [message for trip in trips for channel, message in trip if channel == f"person:{who.pk}"]


def race(acts: list[Callable[[], Any]]) -> list[str]:
    """All at once, each in a thread and connection of its own; "ok" or the code of the refusal."""
    results: list[str] = []
    start = threading.Barrier(len(acts))

    def runner(act: Callable[[], Any]) -> None:
        try:
            start.wait()
            act()
            results.append("ok")
        except RoomRefused as error:
            results.append(error.code)
        finally:
            connection.close()

    threads = [threading.Thread(target=runner, args=(act,)) for act in acts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(120)
    assert len(results) == len(acts)
    return sorted(results)


# --- the queue ------------------------------------------------------------------------------------------------------


def test_hands_are_one_queue_and_raising_again_keeps_the_place() -> None:
    room = picky_room()
    anna, bert, cleo = (consented(person(name), room) for name in ("anna", "bert", "cleo"))
    assert [actions.raise_hand(room.pk, user) for user in (anna, bert, cleo)] == [1, 2, 3]
    assert [actions.raise_hand(room.pk, user) for user in (cleo, anna)] == [3, 1]
    assert Hand.objects.count() == 3 and queue(room) == ["anna", "bert", "cleo"]
    actions.lower_hand(room.pk, anna)
    actions.lower_hand(room.pk, anna)
    assert actions.raise_hand(room.pk, bert) == 1 and actions.raise_hand(room.pk, anna) == 3
    assert queue(room) == ["bert", "cleo", "anna"]


def test_a_clock_that_goes_backwards_puts_nobody_in_front() -> None:
    room = picky_room()
    raised("anna", room)
    Hand.objects.filter(room=room).update(raised_at=timezone.now() + timedelta(seconds=5))
    bert = raised("bert", room)
    assert queue(room) == ["anna", "bert"] and part(room, bert)["own"]["place"] == 2


def test_who_may_raise_a_hand(settings: Any) -> None:
    settings.ROOM_MAX_SPEAKERS, settings.ROOM_MAX_HANDS = 1, 2
    room = open_room()
    anna = person("anna")
    assert refused(actions.raise_hand, room.pk, consented(anna, room)) == "place_free"
    speaker = seated("speaker", room)
    assert refused(actions.raise_hand, room.pk, speaker) == "on_stage_already"
    assert refused(actions.raise_hand, room.pk, room.host) == "on_stage_already"
    assert refused(actions.raise_hand, room.pk, person("silent")) == "not_consented"
    assert actions.raise_hand(room.pk, anna) == 1, "the stage is full now"
    raised("bert", room)
    late = consented(person("late"), room)
    assert refused(actions.raise_hand, room.pk, late) == "hands_full"
    assert actions.raise_hand(room.pk, anna) == 1, "a full queue takes no hand away"
    Sanction.objects.create(user=late, kind="no_stage", why="shouting")
    assert refused(actions.raise_hand, room.pk, late) == "no_stage"
    actions.leave_seat(room.pk, room.host)
    settings.ROOM_MAX_HANDS = 200
    assert refused(actions.raise_hand, room.pk, consented(room.host, room)) == "place_free", "theirs is reserved"
    actions.end_room(room.pk, room.host)
    assert refused(actions.raise_hand, room.pk, anna) == "room_ended"
    assert refused(actions.lower_hand, room.pk, anna) == "room_ended"


def test_locked_hands() -> None:
    room = picky_room()
    anna = raised("anna", room)
    bert = consented(person("bert"), room)
    assert refused(actions.lock_hands, room.pk, anna, True) == "not_host"
    actions.lock_hands(room.pk, room.host, True)
    actions.lock_hands(room.pk, room.host, True)
    assert refused(actions.raise_hand, room.pk, bert) == "hands_locked"
    assert actions.raise_hand(room.pk, anna) == 1 and queue(room) == ["anna"], "hands that are up stay"
    assert actions.let_up(room.pk, room.host).user == anna
    actions.lock_hands(room.pk, room.host, False)
    assert actions.raise_hand(room.pk, bert) == 1
    locked = RoomEvent.objects.filter(room=room, type="hands_locked").order_by("seq")
    assert [event.data for event in locked] == [{"locked": True}, {"locked": False}]


@WITH_COMMITS
def test_fifty_raise_at_the_limit() -> None:
    room = picky_room()
    first = people(175)
    Hand.objects.bulk_create(Hand(room=room, user=user) for user in first)
    others = [consented(user, room) for user in people(50)]
    results = race([lambda user=user: actions.raise_hand(room.pk, user) for user in others])  # type: ignore[misc]
    assert results == ["hands_full"] * 25 + ["ok"] * 25
    assert Hand.objects.filter(room=room, lowered_at=None).count() == 200


def test_the_database_keeps_one_hand_a_person() -> None:
    room = picky_room()
    anna = raised("anna", room)
    with pytest.raises(DatabaseError, match="hand_one_a_person"), transaction.atomic():
        Hand.objects.create(room=room, user=anna)
    with pytest.raises(DatabaseError, match="hand_outcome_when_lowered"), transaction.atomic():
        Hand.objects.filter(room=room).update(lowered_at=timezone.now())


# --- up and down ----------------------------------------------------------------------------------------------------


def test_the_next_and_anyone_are_let_up() -> None:
    room = picky_room()
    anna, bert, cleo = (raised(name, room) for name in ("anna", "bert", "cleo"))
    seat = actions.let_up(room.pk, room.host, bert)
    assert (seat.user, seat.role, seat.place, seat.muted) == (bert, "speaker", 1, True)
    Sanction.objects.create(user=anna, kind="no_stage", why="shouting")
    assert refused(actions.let_up, room.pk, room.host, anna) == "not_allowed"
    assert actions.let_up(room.pk, room.host).user == cleo, "who lost the right holds nobody up"
    assert refused(actions.let_up, room.pk, room.host) == "no_hand"
    assert outcomes(room) == {"anna": "", "bert": "seated", "cleo": "seated"}


def test_only_the_host_s_side_rules_the_queue() -> None:
    room = picky_room()
    anna, bert = raised("anna", room), raised("bert", room)
    for by in (anna, person("passer-by")):
        assert refused(actions.let_up, room.pk, by) == "not_host"
        assert refused(actions.let_up, room.pk, by, anna) == "not_host"
        assert refused(actions.decline_hand, room.pk, by, bert) == "not_host"
        assert refused(actions.set_speak_policy, room.pk, by, "everyone") == "not_host"
    helper = person("helper")
    Seat.objects.create(room=room, user=helper, role="cohost", place=11)
    actions.decline_hand(room.pk, helper, bert)
    assert refused(actions.decline_hand, room.pk, helper, bert) == "no_hand"
    assert refused(actions.let_up, room.pk, helper, bert) == "no_hand", "declined, then let up"
    assert actions.let_up(room.pk, helper).user == anna
    assert refused(actions.let_up, room.pk, helper, anna) == "no_hand", "let up twice"
    assert outcomes(room) == {"anna": "seated", "bert": "declined"}
    assert actions.raise_hand(room.pk, bert) == 1, "declined people may ask again"


def test_nobody_is_let_up_onto_a_full_stage(settings: Any) -> None:
    settings.ROOM_MAX_SPEAKERS = 1
    room = open_room()
    seated("speaker", room)
    anna = raised("anna", room)
    assert refused(actions.let_up, room.pk, room.host) == "stage_full"
    assert queue(room) == [anna.handle]


@WITH_COMMITS
def test_two_are_let_up_for_the_last_place(settings: Any) -> None:
    settings.ROOM_MAX_SPEAKERS = 1
    room = picky_room()
    anna, bert = raised("anna", room), raised("bert", room)
    acts = [lambda user=user: actions.let_up(room.pk, room.host, user) for user in (anna, bert)]
    assert race([*acts]) == ["ok", "stage_full"]
    assert len(queue(room)) == 1 and Seat.objects.filter(room=room, place=1, left_at=None).count() == 1


@WITH_COMMITS
def test_next_pressed_twice_lets_two_up() -> None:
    room = picky_room()
    raised("anna", room)
    raised("bert", room)
    assert race([lambda: actions.let_up(room.pk, room.host)] * 3) == ["no_hand", "ok", "ok"]
    assert queue(room) == [] and Seat.objects.filter(room=room, left_at=None).count() == 3


@WITH_COMMITS
def test_a_seat_taken_by_oneself_lowers_the_hand(settings: Any) -> None:
    settings.ROOM_MAX_SPEAKERS = 1
    room = open_room()
    speaker = seated("speaker", room)
    anna = raised("anna", room)
    actions.leave_seat(room.pk, speaker)
    actions.take_seat(room.pk, anna)
    assert outcomes(room) == {"anna": "seated"}


def test_leaving_and_the_end_lower_hands() -> None:
    room = picky_room()
    anna = raised("anna", room)
    raised("bert", room)
    actions.lower_hand(room.pk, anna, leaving=True)
    actions.end_room(room.pk, room.host)
    assert outcomes(room) == {"anna": "left", "bert": "room_ended"}


@WITH_COMMITS
def test_who_loses_the_right_loses_the_hand() -> None:
    room, other = picky_room(), picky_room(host="other")
    anna, bert = raised("anna", room), raised("bert", room)
    actions.raise_hand(other.pk, consented(anna, other))
    Sanction.objects.create(user=anna, kind="no_stage", why="shouting")
    actions.sweep_rooms()  # the message about it was lost
    assert outcomes(room) == {"anna": "not_allowed", "bert": ""} and outcomes(other) == {"anna": "not_allowed"}
    Follow.objects.create(follower=raised("fan", room), followed=room.host)
    actions.set_entry_policy(room.pk, room.host, "followers")
    assert outcomes(room) == {"anna": "not_allowed", "bert": "not_allowed", "fan": ""}
    assert refused(actions.raise_hand, room.pk, bert) == "not_allowed"


# --- time -----------------------------------------------------------------------------------------------------------


@WITH_COMMITS
def test_a_reload_keeps_the_place_and_a_long_absence_does_not(settings: Any) -> None:
    settings.ROOM_SPEAKER_GRACE_SECONDS = settings.ROOM_HOST_GRACE_SECONDS = 60
    room, now = picky_room(), timezone.now()
    anna, bert, cleo = (raised(name, room) for name in ("anna", "bert", "cleo"))
    for user in (room.host, anna, bert, cleo):
        come(room, user)
    actions.sweep_rooms(now)
    go(room, anna)
    go(room, bert)
    actions.sweep_rooms(now)
    actions.sweep_rooms(now + timedelta(seconds=50))
    come(room, bert, "the page again")
    actions.sweep_rooms(now + timedelta(seconds=59))
    assert queue(room) == ["anna", "bert", "cleo"]
    actions.sweep_rooms(now + timedelta(seconds=61))
    assert queue(room) == ["bert", "cleo"] and outcomes(room)["anna"] == "lost"
    assert actions.raise_hand(room.pk, bert) == 1


@WITH_COMMITS
def test_a_hand_raised_anew_is_not_lost_with_the_old_one(settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Between the sweep's look and its act the person came back, lowered the hand and raised it again."""
    sweep: Any = importlib.import_module("rooms.actions.sweep")
    settings.ROOM_SPEAKER_GRACE_SECONDS = 60
    room, now = picky_room(), timezone.now()
    anna = raised("anna", room)
    come(room, room.host)
    actions.sweep_rooms(now)
    lower = sweep.lower_lost_hands

    def again(room_id: int, hands: list[Hand]) -> None:
        actions.lower_hand(room.pk, anna)
        actions.raise_hand(room.pk, anna)
        lower(room_id, hands)

    monkeypatch.setattr(sweep, "lower_lost_hands", again)
    actions.sweep_rooms(now + timedelta(seconds=61))
    assert queue(room) == ["anna"] and Hand.objects.filter(outcome="lost").count() == 0


# --- who is told ----------------------------------------------------------------------------------------------------


@WITH_COMMITS
def test_each_is_told_the_own_place_and_the_host_s_side_all(published: list[list[tuple[str, Any]]]) -> None:
    room = picky_room()
    anna, bert, cleo, dora = (raised(name, room) for name in ("anna", "bert", "cleo", "dora"))
    at = {hand.user_id: iso_of(hand.raised_at) for hand in Hand.objects.all()}
    up = {"type": "hand_up", "room": room.slug, "raised_at": at[cleo.pk], "place": 3}
    assert to(cleo, published) == [up]
    published.clear()
    actions.decline_hand(room.pk, room.host, bert)
    assert len(published) == 2, "one round trip for the host's side, one for all people"
    assert published[0] + published[1] == [
        (
            f"host:{room.pk}",
            {"type": "hand_lowered", "room": room.slug, "data": {"user": "bert", "raised_at": at[bert.pk]}},
        ),
        (
            f"person:{bert.pk}",
            {"type": "hand_declined", "room": room.slug, "raised_at": at[bert.pk], "outcome": "declined"},
        ),
        (
            f"person:{cleo.pk}",
            {"type": "hand_place", "room": room.slug, "raised_at": at[cleo.pk], "place": 2},
        ),
        (
            f"person:{dora.pk}",
            {"type": "hand_place", "room": room.slug, "raised_at": at[dora.pk], "place": 3},
        ),
    ]
    published.clear()
    actions.let_up(room.pk, room.host)
    assert to(anna, published) == [
        {"type": "hand_down", "room": room.slug, "raised_at": at[anna.pk], "outcome": "seated"},
        {"type": "let_up", "room": room.slug, "by": "host"},
    ]
    assert [[message["place"] for message in to(user, published)] for user in (cleo, dora)] == [[1], [2]]


def test_a_long_queue_costs_no_query_more() -> None:
    def cost(room: Room, act: Callable[[], Any]) -> int:
        with CaptureQueriesContext(connection) as seen:
            act()
        return len(seen)

    costs = []
    for number, many in enumerate((2, 150)):
        room = picky_room(host=f"host{number}")
        Hand.objects.bulk_create(Hand(room=room, user=user) for user in people(many))
        own, late = raised(f"own{number}", room), consented(person(f"late{number}"), room)
        listener = person(f"listener{number}")
        first = Hand.objects.filter(room=room).order_by("raised_at", "id").select_related("user")[0].user
        costs.append(
            [
                cost(room, lambda: snapshot(room.pk, Who.of_user(room.host))),  # noqa: B023
                cost(room, lambda: snapshot(room.pk, Who.of_user(own))),  # noqa: B023
                cost(room, lambda: snapshot(room.pk, Who.of_user(listener))),  # noqa: B023
                cost(room, lambda: actions.raise_hand(room.pk, late)),  # noqa: B023
                cost(room, lambda: actions.decline_hand(room.pk, room.host, first)),  # noqa: B023
                cost(room, lambda: actions.let_up(room.pk, room.host)),  # noqa: B023
                cost(room, lambda: actions.set_entry_policy(room.pk, room.host, "followers")),  # noqa: B023
            ]
        )
    assert costs[0] == costs[1]
    host, own_hand, nobody = costs[0][:3]
    assert host == own_hand == nobody + 2, "a listener without a hand costs nothing"


def test_the_part_of_a_snapshot() -> None:
    room = picky_room()
    anna, bert = raised("anna", room), raised("bert", room)
    listener = person("listener")
    Hand.objects.bulk_create(Hand(room=room, user=user) for user in people(120))
    hosts = part(room, room.host)
    assert len(hosts["queue"]) == 100 and hosts["count"] == 122 and hosts["own"] is None
    assert [hand["user"] for hand in hosts["queue"][:2]] == ["anna", "bert"]
    assert set(hosts["queue"][0]) == {"user", "name", "initials", "picture", "color", "raised_at", "invited"}
    assert part(room, bert) == {
        "queue": None,
        "count": None,
        "own": {"raised_at": hosts["queue"][1]["raised_at"], "place": 2},
    }
    assert part(room, listener) == {"queue": None, "count": None, "own": None}
    actions.lower_hand(room.pk, anna)
    assert part(room, bert)["own"]["place"] == 1
    Invitation.objects.create(room=room, user=anna, by=room.host, by_helper=True, kind="speak", state="accepted")
    actions.set_speak_policy(room.pk, room.host, "invited")
    Room.objects.filter(pk=room.pk).update(max_speakers=1)
    seated_fan = consented(person("fan"), room)
    Seat.objects.create(room=room, user=seated_fan, place=1)
    actions.raise_hand(room.pk, anna)
    assert Hand.objects.get(room=room, user=anna, lowered_at=None).invited


# --- the speak policy -----------------------------------------------------------------------------------------------


def test_a_tighter_policy_throws_nobody_off_and_names_them() -> None:
    room = open_room()
    friend, guest, helper = seated("friend", room), seated("guest", room), person("helper")
    Seat.objects.create(room=room, user=helper, role="cohost", place=11)
    Follow.objects.create(follower=room.host, followed=friend)
    assert actions.set_speak_policy(room.pk, room.host, "followed") == ["guest"]
    assert actions.set_speak_policy(room.pk, helper, "invited") == ["friend", "guest"]
    assert actions.set_speak_policy(room.pk, helper, "invited") == ["friend", "guest"]
    assert Seat.objects.filter(room=room, left_at=None).count() == 4
    assert actions.set_speak_policy(room.pk, room.host, "everyone") == []
    assert refused(actions.set_speak_policy, room.pk, room.host, "nobody") == "bad_value"
    assert refused(actions.set_speak_policy, room.pk, guest, "everyone") == "not_host"
    told = RoomEvent.objects.filter(room=room, type="speak_policy_set").order_by("seq")
    assert [event.data["policy"] for event in told] == ["followed", "invited", "everyone"]
    actions.end_room(room.pk, room.host)
    assert refused(actions.set_speak_policy, room.pk, room.host, "invited") == "room_ended"


def test_a_room_may_open_for_invited_people_only() -> None:
    room = open_room(speak_policy="invited")
    anna = consented(person("anna"), room)
    assert refused(actions.take_seat, room.pk, anna) == "no_invitation"
    assert actions.raise_hand(room.pk, anna) == 1
    assert actions.let_up(room.pk, room.host).user == anna


# --- edges ----------------------------------------------------------------------------------------------------------


@WITH_COMMITS
def test_the_same_over_the_api() -> None:
    room = picky_room()
    host, anna, bert = (api_client(user) for user in (room.host, consented(person("anna"), room), raised("bert", room)))
    at, json_type = f"/api/v1/rooms/{room.slug}/", "application/json"
    answer = anna.post(f"{at}hand/")
    assert (answer.status_code, answer.json()) == (201, {"place": 2})
    assert bert.delete(f"{at}hand/").json()["you"]["parts"]["hands"]["own"] is None
    assert bert.post(f"{at}let_up/", {"user": "anna"}, json_type).json()["error"]["code"] == "not_host"
    for name, why in (("bert", "no_hand"), ("nobody", "no_hand"), ("no handle", "bad_value")):
        for act in ("let_up", "decline_hand"):
            assert host.post(f"{at}{act}/", {"user": name}, json_type).json()["error"]["code"] == why, name
    assert host.post(f"{at}let_up/", {}, json_type).json() == {"user": "anna", "place": 1}
    for wrong in ({}, {"locked": None}, {"locked": "perhaps"}):
        assert host.put(f"{at}lock_hands/", wrong, json_type).json()["error"]["code"] == "bad_value"
    assert host.put(f"{at}lock_hands/", {"locked": True}, json_type).json()["room"]["hands_locked"] is True
    assert host.put(f"{at}speak/", {"policy": "invited"}, json_type).json() == {"not_admitted": ["anna"]}
    assert bert.post(f"{at}hand/").json()["error"]["code"] == "hands_locked"


async def test_hands_over_sockets(web: Site) -> None:
    room: Room = await run(picky_room)()
    askers = run(lambda: [consented(person(name), room) for name in ("anna", "bert", "other")])
    anna, bert, other = await askers()
    async with (
        Page(room, room.host) as host,
        Page(room, anna) as first,
        Page(room, anna) as second,
        Page(room, bert) as cheat,
        Page(room, other) as listener,
        Page(room) as nobody,
    ):
        pages = (host, first, second, cheat, listener, nobody)
        for page in pages:
            await page.wait_for("snapshot")
        assert (await first.ask("raise_hand"))["place"] == 1
        assert (await second.wait_for("hand_up"))["place"] == 1, "both pages of a person know"
        assert (await host.wait_for("hand_raised"))["data"]["user"] == "anna"
        assert code(await cheat.ask("raise_hand", user="anna", place=1, invited=True)) == "ok"
        assert queue_of(await run(part)(room, room.host)) == ["anna", "bert"], "whatever is named, one raises one's own"
        await until(lambda: [message["place"] for message in cheat.of_type("hand_up")] == [2])
        for verb, args in (
            ("let_up", {}),
            ("let_up", {"user": "bert"}),
            ("decline_hand", {"user": "anna"}),
            ("lock_hands", {"locked": True}),
            ("set_speak_policy", {"policy": "everyone"}),
        ):
            assert code(await cheat.ask(verb, **args)) == "not_host", verb
        assert code(await nobody.ask("raise_hand")) == "not_signed_in"
        assert code(await nobody.ask("lower_hand")) == "not_signed_in"
        assert code(await cheat.ask("lower_hand", user="anna")) == "ok", "one's own again, not the named one"
        assert code(await host.ask("let_up", user="bert")) == "no_hand"
        assert code(await host.ask("lock_hands", locked=1)) == "bad_value"
        assert (await host.ask("let_up"))["user"] == "anna"
        for page in (first, second):
            assert (await page.wait_for("let_up"))["by"] == "host"
        assert code(await first.ask("raise_hand")) == "on_stage_already"
        assert code(await cheat.ask("raise_hand")) == "ok"
        assert code(await host.ask("decline_hand", user="bert")) == "ok"
        await cheat.wait_for("hand_declined")
        assert code(await host.ask("lock_hands", locked=True)) == "ok"
        for page in (listener, nobody):
            await page.wait_for("hands_locked")
        for page in (listener, nobody):
            said = json.dumps([message for message in page.seen if message.get("type") != "snapshot"])
            assert not any(word in said for word in ("hand_", "let_up", "bert", "raised_at"))
        kinds = await run(lambda: set(RoomEvent.objects.filter(room=room).values_list("type", flat=True)))()
        assert kinds == {"room_opened", "seat_taken", "hands_locked"}
        logged = await run(lambda: str(RoomEvent.objects.filter(room=room).values_list("data", flat=True)))()
        assert "bert" not in logged and "raised" not in logged


def queue_of(hands: Any) -> list[str]:
    return [hand["user"] for hand in hands["queue"]]
