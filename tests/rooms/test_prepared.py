"""Prepared rooms: made, changed, cancelled and opened, by whom, and when the clock cancels them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

import pytest
from django.db import IntegrityError, transaction
from django.test import Client
from django.utils import timezone

from people.models import Creator, Sanction
from rooms import actions
from rooms.live.admitting import admit_nobody
from rooms.live.feed import read_shared
from rooms.models import Invitation, Recording, Room, RoomEvent, Seat
from rooms.rules.identity import Who
from rooms.rules.refusals import RoomRefused
from rooms.rules.starts import MOST_PREPARED
from social.models import Block, Follow
from tests.support.people import api_client, person
from tests.support.races import at_once, said
from tests.support.rooms import begins, open_room, prepared_room

JSON = "application/json"
VALUES: dict[str, Any] = {
    "title": "Another title",
    "topic": "",
    "language": "en",
    "speak_policy": "everyone",
    "entry_policy": "anyone",
    "transcription": True,
}


def wall_of(at: datetime) -> str:
    return f"{at.astimezone(UTC):%Y-%m-%dT%H:%M}"


def start_of_room(room: Room) -> datetime:
    assert room.starts_at is not None
    return room.starts_at


def same(room: Room, **changed: Any) -> dict[str, Any]:
    """Values of `change_prepared` with the start that the room has."""
    return {**VALUES, "wall": room.starts_wall, "zone": room.starts_zone, **changed}


# --- preparing and changing -------------------------------------------------------------------------------------------


@pytest.mark.django_db
def test_a_room_is_prepared_with_what_its_host_typed() -> None:
    host = person("host", creator=True)
    at = (timezone.now() + timedelta(days=40)).replace(second=0, microsecond=0)
    room = actions.prepare_room(
        host, title=" Bread ", topic="Crusts", entry_policy="invited", wall=wall_of(at), zone="UTC"
    )
    room.refresh_from_db()
    assert (room.status, room.title, room.starts_at, room.starts_zone) == ("scheduled", "Bread", at, "UTC")
    assert (room.starts_wall, room.started_at, room.seq) == (wall_of(at), None, 0)
    assert not Recording.objects.exists() and not Seat.objects.exists() and not RoomEvent.objects.exists()


@pytest.mark.django_db
def test_who_may_not_open_rooms_prepares_none() -> None:
    wall = wall_of(timezone.now() + timedelta(days=1))
    values = {"title": "Bread", "wall": wall, "zone": "UTC"}
    assert said(actions.prepare_room, person("guest"), **values) == "not_a_creator"
    host = person("host", creator=True)
    Sanction.objects.create(user=host, kind="no_hosting", why="shouting")
    assert said(actions.prepare_room, host, **values) == "no_hosting"
    assert not Room.objects.exists()


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("wrong", "code", "field"),
    [
        ({"zone": "Europe/Atlantis"}, "bad_value", "zone"),
        ({"wall": "tomorrow"}, "bad_value", "wall"),
        ({"wall": wall_of(timezone.now() - timedelta(days=1))}, "starts_too_soon", "wall"),
        ({"wall": wall_of(timezone.now() + timedelta(days=91))}, "starts_too_late", "wall"),
        ({"title": " "}, "bad_value", "title"),
        ({"entry_policy": "nobody"}, "bad_value", "entry_policy"),
    ],
)
def test_values_that_cannot_be(wrong: dict[str, str], code: str, field: str) -> None:
    room = prepared_room()
    with pytest.raises(RoomRefused) as refused:
        actions.change_prepared(room.pk, room.host, **same(room, **wrong))
    assert (refused.value.code, list(refused.value.fields)) == (code, [field])


@pytest.mark.django_db
def test_starts_of_one_host_are_sixty_minutes_apart() -> None:
    first = prepared_room()
    host = first.host

    def minutes(number: int) -> str:
        return wall_of(start_of_room(first) + timedelta(minutes=number))

    for near in (0, 1, 59, -59):
        values = {"title": "Near", "wall": minutes(near), "zone": "UTC"}
        assert said(actions.prepare_room, host, **values) == "starts_together"
    for enough in (60, -60, 120):
        actions.prepare_room(host, title="Far", wall=minutes(enough), zone="UTC")
    # In another zone it is the same moment; another host has hours of their own; a cancelled room has none.
    there = {
        "wall": f"{start_of_room(first).astimezone(UTC) + timedelta(hours=14):%Y-%m-%dT%H:%M}",
        "zone": "Pacific/Kiritimati",
    }
    assert said(actions.prepare_room, host, title="Near", **there) == "starts_together"
    actions.prepare_room(person("other", creator=True), title="Other", wall=minutes(0), zone="UTC")
    far = Room.objects.get(host=host, starts_wall=minutes(120))
    assert said(actions.change_prepared, far.pk, host, **same(far, wall=minutes(30))) == "starts_together"
    actions.cancel_room(first.pk, host)
    actions.change_prepared(far.pk, host, **same(far, wall=minutes(0)))


@pytest.mark.django_db(transaction=True)
def test_two_starts_in_one_hour_raced() -> None:
    host = person("host", creator=True)
    at = timezone.now() + timedelta(days=2)
    walls = [wall_of(at), wall_of(at + timedelta(minutes=30))]
    works = [partial(actions.prepare_room, host, title="Bread", wall=wall, zone="UTC") for wall in walls]
    assert sorted(at_once(*works)) == ["ok", "starts_together"]
    room = Room.objects.get()
    columns = {"host": host, "title": "Raw", "status": "scheduled", "starts_zone": "UTC", "starts_wall": walls[0]}
    with pytest.raises(IntegrityError, match="room_starts_apart"), transaction.atomic():
        Room.objects.create(starts_at=start_of_room(room) + timedelta(minutes=59, seconds=59), **columns)
    Room.objects.create(starts_at=start_of_room(room) + timedelta(minutes=60), **columns)


@pytest.mark.django_db(transaction=True)
def test_twenty_wait_at_most_also_for_two_at_once() -> None:
    host = person("host", creator=True)
    for day in range(1, MOST_PREPARED):
        prepared_room(host, timedelta(days=day))
    works = [partial(prepared_room, host, timedelta(days=day)) for day in (40, 50)]
    assert sorted(at_once(*works)) == ["ok", "too_many_prepared"]
    assert Room.objects.count() == MOST_PREPARED
    actions.cancel_room(Room.objects.order_by("starts_at")[0].pk, host)
    prepared_room(host, timedelta(days=60))
    prepared_room("other")


@pytest.mark.django_db
def test_the_title_can_be_put_right_a_minute_before() -> None:
    room = prepared_room()
    begins(room, timezone.now() + timedelta(minutes=1))
    actions.change_prepared(room.pk, room.host, **same(room))
    room.refresh_from_db()
    assert room.title == "Another title"
    soon = wall_of(timezone.now() + timedelta(minutes=1))
    assert said(actions.change_prepared, room.pk, room.host, **same(room, wall=soon)) == "starts_too_soon"


# --- who ------------------------------------------------------------------------------------------------------------


@pytest.mark.django_db
def test_only_its_host_changes_opens_and_cancels_over_the_api() -> None:
    room = prepared_room()
    blocked = person("blocked")
    Block.objects.create(blocker=room.host, blocked=blocked)
    codes = {
        Client(): "not_signed_in",
        api_client(person("guest")): "not_host",
        api_client(person("creator", creator=True)): "not_host",
        api_client(blocked): "not_allowed",
    }
    body = {**VALUES, "starts": {"wall": room.starts_wall, "zone": room.starts_zone}}
    address = f"/api/v1/rooms/{room.slug}"
    for client, code in codes.items():
        for method, path, sent in (("put", "prepared", body), ("delete", "prepared", None), ("post", "open", None)):
            answer = getattr(client, method)(f"{address}/{path}/", sent, JSON)
            assert answer.json()["error"]["code"] == code, (method, code)
    room.refresh_from_db()
    assert room.is_prepared and room.title == "Voices to come"
    host = api_client(room.host)
    changed = host.put(f"{address}/prepared/", body, JSON)
    assert changed.status_code == 200 and changed.json()["title"] == "Another title"
    opened = host.post(f"{address}/open/", None, JSON)
    assert opened.status_code == 201 and opened.json()["room"]["status"] == "live"
    assert host.post(f"{address}/open/", None, JSON).json()["error"]["code"] == "open_already"
    assert host.delete(f"{address}/prepared/").json()["error"]["code"] == "open_already"
    assert host.put(f"{address}/prepared/", body, JSON).json()["error"]["code"] == "open_already"


@pytest.mark.django_db
def test_prepared_and_cancelled_over_the_api() -> None:
    host = api_client(person("host", creator=True))
    at = (timezone.now() + timedelta(days=3)).replace(second=0, microsecond=0)
    starts = {"wall": wall_of(at), "zone": "UTC"}
    made = host.post("/api/v1/rooms/", {"title": "Bread", "starts": starts}, JSON)
    assert made.status_code == 201, made.content
    room = made.json()["room"]
    assert (room["status"], room["starts_wall"], made.json()["seq"]) == ("scheduled", starts["wall"], 0)
    assert datetime.fromisoformat(room["starts_at"]) == at and made.json()["you"]["may"]["why_not"] == "not_open_yet"
    address = f"/api/v1/rooms/{room['slug']}/prepared/"
    seen = Client().get(address).json()
    assert (seen["status"], seen["starts"], seen["twice"]) == ("scheduled", starts, False)
    wrong = host.post("/api/v1/rooms/", {"title": "Bread", "starts": {"wall": "soon", "zone": "UTC"}}, JSON).json()
    assert (wrong["error"]["code"], list(wrong["error"]["fields"])) == ("bad_value", ["wall"])
    assert host.delete(address).json()["cancel_reason"] == "host"
    assert host.delete(address).json()["error"]["code"] == "room_cancelled"
    assert Client().get(address).json()["status"] == "cancelled"


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("policy", "admitted"),
    [
        ("anyone", {"nobody", "guest", "follower", "invited", "host"}),
        ("signed_in", {"guest", "follower", "invited", "host"}),
        ("followers", {"follower", "invited", "host"}),
        ("invited", {"invited", "host"}),
    ],
)
def test_who_sees_it_is_who_may_come_in(policy: str, admitted: set[str]) -> None:
    room = prepared_room(entry_policy=policy)
    people = {name: person(name) for name in ("guest", "follower", "invited", "blocked", "by_a_guest")}
    Follow.objects.create(follower=people["follower"], followed=room.host)
    Block.objects.create(blocker=room.host, blocked=people["blocked"])
    mine = {"room": room, "kind": "listen"}
    Invitation.objects.create(user=people["invited"], by=room.host, by_helper=True, **mine)
    Invitation.objects.create(user=people["by_a_guest"], by=people["guest"], **mine)
    admitted = admitted | ({"by_a_guest"} if "guest" in admitted else set())
    codes: dict[str, str] = {}
    for name, user in {**people, "host": room.host, "nobody": None}.items():
        client = Client() if user is None else api_client(user)
        answer = client.get(f"/api/v1/rooms/{room.slug}/prepared/")
        codes[name] = "" if answer.status_code == 200 else answer.json()["error"]["code"]
    assert {name for name, code in codes.items() if not code} == admitted
    assert codes["blocked"] == "not_allowed" and codes["nobody"] in ("", "not_signed_in")


@pytest.mark.django_db
def test_nothing_that_needs_a_live_room_works_before() -> None:
    room = prepared_room()
    guest = person("guest")
    assert said(actions.take_seat, room.pk, guest) == "not_open_yet"
    assert said(actions.raise_hand, room.pk, guest) == "not_open_yet"
    assert said(actions.end_room, room.pk, room.host) == "not_open_yet"
    assert said(actions.set_entry_policy, room.pk, room.host, "anyone") == "not_open_yet"
    assert said(actions.set_speak_policy, room.pk, room.host, "invited") == "not_open_yet"
    assert said(come_in, room) == "not_open_yet"
    actions.cancel_room(room.pk, room.host)
    assert said(come_in, room) == "room_cancelled"
    assert said(actions.take_seat, room.pk, guest) == "room_cancelled"


def come_in(room: Room) -> None:
    """Come in to a room's socket, signed out."""
    admit_nobody(read_shared(room.pk), Who(None, "a:somebody"))


# --- opening ----------------------------------------------------------------------------------------------------------


@pytest.mark.django_db
def test_it_opens_as_any_room_and_keeps_its_invitations() -> None:
    room = prepared_room(entry_policy="followers")
    Invitation.objects.create(room=room, user=person("guest"), by=room.host, by_helper=True, kind="speak")
    actions.open_prepared(room.pk, room.host)
    room.refresh_from_db()
    assert room.is_live and room.started_at is not None and room.starts_at is not None
    assert Recording.objects.get(room=room).opened_policy == "followers"
    assert [(seat.user, seat.role, seat.place) for seat in Seat.objects.all()] == [(room.host, "host", 0)]
    assert list(RoomEvent.objects.order_by("seq").values_list("seq", "type")) == [(1, "room_opened"), (2, "seat_taken")]
    assert Invitation.objects.get().state == "pending"
    assert said(come_in, room) == "not_signed_in", "the door, as of any room"
    actions.end_room(room.pk, room.host)


@pytest.mark.django_db
def test_who_may_not_host_any_more_cannot_open_but_cancel() -> None:
    room = prepared_room()
    Creator.objects.filter(user=room.host).delete()
    assert said(actions.open_prepared, room.pk, room.host) == "not_a_creator"
    assert said(actions.change_prepared, room.pk, room.host, **same(room)) == "not_a_creator"
    Creator.objects.create(user=room.host, added_at=timezone.now())
    sanction = Sanction.objects.create(user=room.host, kind="no_hosting", why="shouting")
    assert said(actions.open_prepared, room.pk, room.host) == "no_hosting"
    sanction.delete()
    other = open_room(room.host)
    assert said(actions.open_prepared, room.pk, room.host) == "already_hosting"
    actions.end_room(other.pk, room.host)
    Sanction.objects.create(user=room.host, kind="no_stage", why="shouting")
    assert said(actions.open_prepared, room.pk, room.host) == "no_stage"
    actions.cancel_room(room.pk, room.host)
    assert said(actions.open_prepared, room.pk, room.host) == "room_cancelled"
    room.refresh_from_db()
    assert room.cancel_reason == "host"


@pytest.mark.django_db(transaction=True)
def test_opened_twice_at_once_it_is_open_once() -> None:
    room = prepared_room()
    opening = partial(actions.open_prepared, room.pk, room.host)
    assert sorted(at_once(opening, opening)) == ["ok", "open_already"]
    assert Seat.objects.count() == Recording.objects.count() == 1
    assert list(RoomEvent.objects.order_by("seq").values_list("seq", flat=True)) == [1, 2]


@pytest.mark.django_db(transaction=True)
def test_two_rooms_opened_at_once_are_one() -> None:
    room = prepared_room()
    host = room.host
    works = (partial(actions.open_prepared, room.pk, host), partial(actions.open_room, host, title="Now"))
    assert sorted(at_once(*works)) == ["already_hosting", "ok"]
    assert Room.objects.filter(status="live").count() == 1
