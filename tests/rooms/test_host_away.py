"""A host who is away or suspended: what a co-host receives, and when a room ends."""

from __future__ import annotations

from typing import Any

import pytest

from people.actions import standing
from people.models import Sanction, User
from rooms import actions
from rooms.models import HandOver, Room
from rooms.rules import permissions
from rooms.rules.facts import facts_of
from rooms.wire.snapshot import base
from tests.rooms.test_sweep import at, come, go, types
from tests.support.cohosts import fresh, last, stage, with_cohosts

committed = pytest.mark.django_db(transaction=True)


@pytest.fixture
def times(settings: Any) -> None:
    settings.ROOM_HOST_GRACE_SECONDS, settings.ROOM_HAND_OVER_SECONDS = 60, 120
    settings.ROOM_SPEAKER_GRACE_SECONDS, settings.ROOM_EMPTY_STAGE_SECONDS = 60, 3600


def lose_host(room: Room, *here: User) -> None:
    for user in here:
        come(room, user)
    actions.sweep_rooms(at(0))
    actions.sweep_rooms(at(6))


def clocks(room: Room) -> tuple[bool, bool]:
    """Whether the room ends, and whether it is handed over, as event and snapshot have it alike."""
    event, state = last(room, "host_lost"), base(room.pk).room
    assert (event["ends_at"], event["hands_over_at"]) == (state["host_ends_at"], state["host_hands_over_at"])
    return event["ends_at"] is not None, event["hands_over_at"] is not None


@committed
def test_with_a_cohost_a_room_outlives_its_host(times: None) -> None:
    room, (cora,) = with_cohosts("cora")
    lose_host(room, cora)
    assert clocks(room) == (False, True)
    assert actions.sweep_rooms(at(110)) == 0 and fresh(room).host == room.host
    assert actions.sweep_rooms(at(121)) == 0
    now = fresh(room)
    assert now.is_live and now.host == cora and (now.host_lost_at, now.hands_over) == (None, False)
    assert HandOver.objects.get(room=room).reason == last(room, "host_changed")["reason"] == "host_gone"
    seats = {seat["user"]: (seat["role"], seat["connected"]) for seat in last(room, "host_changed")["seats"]}
    assert seats == {"cora": ("host", True), "host": ("cohost", False)}
    actions.sweep_rooms(at(127))
    assert "host" not in stage(room), "the former host was away for longer than a seat is kept"
    assert actions.sweep_rooms(at(1000)) == 0 and fresh(room).is_live
    actions.end_room(room.pk, cora)


@committed
def test_the_host_who_comes_back_stays_host(times: None) -> None:
    room, (cora,) = with_cohosts("cora")
    lose_host(room, cora)
    come(room, room.host)
    actions.sweep_rooms(at(121))
    now = fresh(room)
    assert now.host == room.host and (now.host_lost_at, now.hands_over) == (None, False)
    assert types(room)[-2:] == ["host_lost", "host_back"]
    connected = {cora.pk: True}
    assert not actions.hand_over_to_cohost(room.pk, room.host_id, HandOver.Reason.HOST_GONE, connected)


@committed
def test_a_cohost_who_leaves_meanwhile_lets_the_room_end(times: None) -> None:
    room, (cora,) = with_cohosts("cora")
    lose_host(room, cora)
    actions.leave_seat(room.pk, cora)
    assert clocks(room) == (True, False)
    assert actions.sweep_rooms(at(59)) == 0
    assert actions.sweep_rooms(at(61)) == 1 and fresh(room).end_reason == "host_gone"


@committed
def test_a_cohost_who_may_not_host_is_no_heir(times: None) -> None:
    room, (cora, carl) = with_cohosts("cora", "carl")
    lose_host(room, cora, carl)
    Room.objects.create(host=cora, title="Elsewhere", started_at=at(0))
    Sanction.objects.create(user=carl, kind="no_hosting", why="shouting")
    assert actions.sweep_rooms(at(20)) == 0 and clocks(room) == (True, False), "told anew"
    Sanction.objects.all().delete()
    actions.sweep_rooms(at(30))
    assert clocks(room) == (False, True)
    actions.sweep_rooms(at(121))
    assert fresh(room).host == carl, "the first of the co-hosts hosts elsewhere"


@committed
def test_a_cohost_who_is_away_gets_nothing(times: None) -> None:
    room, (cora,) = with_cohosts("cora")
    lose_host(room, cora)
    actions.sweep_rooms(at(110))
    go(room, cora)
    actions.sweep_rooms(at(121))
    assert fresh(room).host == room.host and fresh(room).is_live, "away, yet with a seat: waited for"
    come(room, cora)
    go(room, cora)
    actions.sweep_rooms(at(125))
    actions.sweep_rooms(at(190))
    assert "cora" not in stage(room) and clocks(room) == (True, False)
    assert actions.sweep_rooms(at(191)) == 1 and fresh(room).end_reason == "host_gone"


@committed
@pytest.mark.parametrize("how", ["suspended", "closed"])
@pytest.mark.parametrize("there", [True, False])
def test_the_room_of_a_suspended_or_closed_host(how: str, there: bool) -> None:
    room, (cora,) = with_cohosts("cora")
    host = room.host
    come(room, host)
    if there:
        come(room, cora)
    if how == "suspended":
        standing.impose_sanction(host, "suspended", None, "shouting")
    else:
        standing.close_account(host, None, "asked for it")
    now = fresh(room)
    if there:
        assert now.is_live and now.host == cora and stage(room) == {"cora": ("host", 0)}
        assert HandOver.objects.get(room=room).reason == "staff"
        assert types(room)[-2:] == ["host_changed", "seat_left"]
        assert permissions.may_end(facts_of(now, host)) is not None
    else:
        assert (now.status, now.end_reason, now.host) == ("ended", "staff", host)
        assert not HandOver.objects.exists()
