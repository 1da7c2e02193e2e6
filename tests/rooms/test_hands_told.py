"""Hands: who is told what, in messages and snapshots, over sockets and the API, and at which cost."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from channels.db import database_sync_to_async as run
from django.db import connection
from django.test.utils import CaptureQueriesContext

from core import bus
from people.models import User
from rooms import actions
from rooms.models import Hand, Invitation, Room, RoomEvent, Seat
from rooms.queries import hands
from rooms.rules.identity import Who
from rooms.wire.events import iso_of
from rooms.wire.sides import HandRaised, hand_state
from rooms.wire.snapshot import snapshot
from tests.support.client import Page, code
from tests.support.hands import part, picky_room, raised
from tests.support.people import api_client, people, person
from tests.support.processes import Site
from tests.support.rooms import consented
from tests.support.waiting import until

pytestmark = pytest.mark.django_db
WITH_COMMITS = pytest.mark.django_db(transaction=True)


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
    # One for the removals, one for the queue of hands, four for invitations, three for the panel.
    assert (host, own_hand) == (nobody + 9, nobody + 2), "a listener without a hand costs nothing"


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


def test_queue_and_count_are_of_one_moment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Else a page that has fewer hands than it was told of shows none that comes."""
    room = picky_room()
    raised("anna", room)
    late = consented(person("late"), room)

    def raised_meanwhile(hand: Hand) -> HandRaised:
        Hand.objects.get_or_create(room=room, user=late)
        return hand_state(hand)

    monkeypatch.setattr(hands, "hand_state", raised_meanwhile)
    hosts = part(room, room.host)
    assert Hand.objects.filter(room=room).count() == 2
    assert [hand["user"] for hand in hosts["queue"]] == ["anna"] and hosts["count"] == 1


# --- edges ----------------------------------------------------------------------------------------------------------


@WITH_COMMITS
def test_the_same_over_the_api() -> None:
    room = picky_room()
    host, anna, bert = (api_client(user) for user in (room.host, consented(person("anna"), room), raised("bert", room)))
    at, json_type = f"/api/v1/rooms/{room.slug}/", "application/json"
    answer = anna.post(f"{at}hand/")
    assert (answer.status_code, answer.json()) == (201, {"place": 2})
    assert bert.delete(f"{at}hand/").json()["you"]["parts"]["hands"]["own"] is None
    assert bert.post(f"{at}let-up/", {"user": "anna"}, json_type).json()["error"]["code"] == "not_host"
    for name, why in (("bert", "no_hand"), ("nobody", "no_hand"), ("no handle", "bad_value")):
        for act in ("let-up", "decline-hand"):
            assert host.post(f"{at}{act}/", {"user": name}, json_type).json()["error"]["code"] == why, name
    assert host.post(f"{at}let-up/", {}, json_type).json() == {"user": "anna", "place": 1}
    for wrong in ({}, {"locked": None}, {"locked": "perhaps"}):
        assert host.put(f"{at}lock-hands/", wrong, json_type).json()["error"]["code"] == "bad_value"
    assert host.put(f"{at}lock-hands/", {"locked": True}, json_type).json()["room"]["hands_locked"] is True
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
