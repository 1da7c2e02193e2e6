"""The stage at a second: the log replayed, compared with what clients make of the same events."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from rooms import actions
from rooms.models import Room, RoomEvent, Seat
from rooms.queries.stage_at import SeatAt, stage_at
from rooms.wire.events import as_message
from rooms.wire.stage_log import open_microphones
from tests.rooms import reducer
from tests.support.rooms import consented, open_room, seated

pytestmark = pytest.mark.django_db


def spread(room: Room) -> list[RoomEvent]:
    """Give the events of a room's log times a second apart: 1,000, 2,000 …"""
    events = list(RoomEvent.objects.filter(room=room).order_by("seq"))
    RoomEvent.objects.filter(room=room).delete()
    for event in events:
        event.at_ms = event.seq * 1_000
    return RoomEvent.objects.bulk_create(events)


def seen_by_clients(events: list[RoomEvent]) -> list[tuple[str, str, str, bool]]:
    """The stage that clients show after these events, by the reducer of tests."""
    you: dict[str, Any] = {"user": None, "may": {}}
    state: dict[str, Any] = {"seq": 0, "seats": [], "room": {"status": "live", "host": "host"}, "you": you}
    for event in events:
        state = reducer.apply(state, as_message(event))
    return [(seat["user"], seat["name"], seat["role"], seat["muted"]) for seat in state["seats"]]


@pytest.fixture
def room() -> Room:
    """A room in which everything happened on stage that can: seats, mutes, a co-host, somebody put off."""
    room = open_room()
    host = room.host
    consented(host, room)
    ada, bob = seated("ada", room), seated("bob", room)
    actions.set_muted(room.pk, ada, False, ada)
    actions.set_muted(room.pk, host, False, host)
    actions.set_muted(room.pk, ada, True, host)
    actions.name_cohost(room.pk, bob, host)
    actions.leave_seat(room.pk, ada)
    actions.set_muted(room.pk, bob, False, bob)
    actions.take_seat(room.pk, ada)
    actions.unseat(room.pk, ada, host)
    actions.end_room(room.pk, host)
    spread(room)
    return room


def test_after_every_event_the_stage_is_what_clients_see(room: Room) -> None:
    events = list(RoomEvent.objects.filter(room=room).order_by("seq"))
    kinds = {event.type for event in events}
    assert kinds >= {"seat_taken", "seat_left", "seat_muted", "seats_changed", "room_ended"}
    handles = dict(Seat.objects.filter(room=room).values_list("user_id", "user__handle"))
    sizes = set()
    for number, event in enumerate(events, 1):
        for ms in (event.at_ms, event.at_ms + 999):
            found = [(handles[seat.user_pk], seat.name, seat.role, seat.muted) for seat in stage_at(room, ms)]
            assert found == seen_by_clients(events[:number]), event.type
            sizes.add(len(found))
    assert sizes >= {0, 1, 2, 3}


def test_it_takes_one_query_and_says_who(room: Room) -> None:
    at_ms = RoomEvent.objects.get(room=room, type="seats_changed").at_ms
    with CaptureQueriesContext(
        connection,
    ) as queries:
        seats = stage_at(room, at_ms)
    assert len(queries) == 1
    users = dict(Seat.objects.filter(room=room).values_list("user__handle", "user_id"))
    assert seats == [
        SeatAt(users["host"], "Host", "host", False),
        SeatAt(users["ada"], "Ada", "speaker", True),
        SeatAt(users["bob"], "Bob", "cohost", True),
    ]


def test_a_room_handed_over_has_another_host_from_then_on() -> None:
    room = open_room()
    bob = seated("bob", room)
    actions.name_cohost(room.pk, bob, room.host)
    before = RoomEvent.objects.filter(room=room).count()
    actions.hand_over(room.pk, bob, room.host)
    events = spread(room)
    roles = [{seat.user_pk: seat.role for seat in stage_at(room, (before + 1) * 1_000 + more)} for more in (-1, 0)]
    assert roles[0] == {room.host_id: "host", bob.pk: "cohost"}
    assert roles[1][bob.pk] == "host" and events[before].type == "host_changed"


def test_nobody_sits_before_the_start_or_in_a_room_without_a_log() -> None:
    assert stage_at(open_room(), -1) == []
    assert stage_at(Room(pk=0), 10_000) == []


def test_a_name_is_the_one_that_the_room_saw(room: Room) -> None:
    user = Seat.objects.filter(room=room, user__handle="ada").latest("pk").user
    user.display_name = "Somebody else"
    user.save(update_fields=["display_name"])
    at_ms = RoomEvent.objects.get(room=room, type="seats_changed").at_ms
    assert [seat.name for seat in stage_at(room, at_ms)] == ["Host", "Ada", "Bob"]


def test_microphones_were_open_from_the_one_event_to_the_other(room: Room) -> None:
    events = list(RoomEvent.objects.filter(room=room).order_by("seq"))
    at = {(event.data["user"], event.data["muted"]): event.at_ms for event in events if event.type == "seat_muted"}
    left = {event.data["user"]: event.at_ms for event in events if event.type == "seat_left"}
    users = dict(Seat.objects.filter(room=room).values_list("user__handle", "user_id"))
    assert open_microphones(room, events[-1].at_ms + 5_000) == {
        users["ada"]: [(at["ada", False], at["ada", True])],
        users["host"]: [(at["host", False], left["host"])],
        users["bob"]: [(at["bob", False], left["bob"])],
    }
    middle = at["host", False] + 500
    assert open_microphones(room, middle)[users["host"]] == [(at["host", False], middle)]
