"""Hands and the speak policy: the order of the queue, rights, races, grace time and ends."""

from __future__ import annotations

import importlib
from datetime import timedelta
from functools import partial
from typing import Any

import pytest
from django.db import DatabaseError, transaction
from django.utils import timezone

from people.models import Sanction
from rooms import actions
from rooms.models import Hand, RoomEvent, Seat
from social.models import Follow
from tests.rooms.test_sweep import come, go
from tests.support.hands import outcomes, part, picky_room, queue, raised
from tests.support.people import people, person
from tests.support.races import at_once, refused
from tests.support.rooms import consented, open_room, seated

pytestmark = pytest.mark.django_db
WITH_COMMITS = pytest.mark.django_db(transaction=True)


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
    results = sorted(at_once(*(partial(actions.raise_hand, room.pk, user) for user in others)))
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
    assert sorted(at_once(*acts)) == ["ok", "stage_full"]
    assert len(queue(room)) == 1 and Seat.objects.filter(room=room, place=1, left_at=None).count() == 1


@WITH_COMMITS
def test_next_pressed_twice_lets_two_up() -> None:
    room = picky_room()
    raised("anna", room)
    raised("bert", room)
    assert sorted(at_once(*[lambda: actions.let_up(room.pk, room.host)] * 3)) == ["no_hand", "ok", "ok"]
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
