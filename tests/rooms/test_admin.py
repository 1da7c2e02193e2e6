"""Rooms in the admin: lists that cost the same at any length, found by words, history that nobody edits."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import Permission
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from rooms import actions
from rooms.models import Consent, Recording, RecordingFile, Room, RoomEvent, Seat
from tests.support.people import person
from tests.support.rooms import open_room
from tests.support.staff import sign_in_staff

pytestmark = pytest.mark.django_db
LISTS = ("room", "recording", "roomevent", "consent")


def staff(**rights: Any) -> Client:
    return sign_in_staff(Client(), person("boss", is_staff=True, **({"is_superuser": True} | rights)))


def fill(number: int) -> None:
    """Ended rooms, each with its people, log and copy."""
    now = timezone.now()
    for _ in range(number):
        n = Room.objects.count()
        host, guest = person(f"host{n}", name=f"Host of {n}"), person(f"guest{n}")
        room = Room.objects.create(
            host=host, title=f"Room number {n}", topic=f"about topic{n}", status="ended", started_at=now, ended_at=now
        )
        for place, user in enumerate((host, guest)):
            Seat.objects.create(
                room=room, user=user, role="speaker" if place else "host", place=place, left_at=now, left_reason="left"
            )
        RoomEvent.objects.create(room=room, seq=1, type="room_opened", at_ms=0)
        Consent.objects.create(room=room, user=guest, text_version="1")
        add_file(Recording.objects.create(room=room, state=Recording.State.READY), 0)


def add_file(recording: Recording, n: int) -> None:
    facts = {"start_ms": 0, "duration_ms": 1, "size": 1, "sha256": "0" * 64}
    seat = Seat.objects.filter(room=recording.room).order_by("pk")[n % 2]
    RecordingFile.objects.create(recording=recording, kind="track", seat=seat, path=f"{n}.opus", **facts)


def cost(browser: Client, path: str) -> int:
    with CaptureQueriesContext(connection) as seen:
        assert browser.get(path).status_code == 200
    return len(seen)


@pytest.mark.parametrize("name", LISTS)
def test_lists_cost_the_same_for_3_and_for_30_rows(name: str) -> None:
    browser, path = staff(), f"/admin/rooms/{name}/"
    fill(3)
    cost(browser, path)  # content types and permissions are cached by the first
    few = cost(browser, path)
    fill(27)
    assert cost(browser, path) == few <= 12


@pytest.mark.parametrize(("name", "more"), [("room", "seats"), ("recording", "files")])
def test_one_page_costs_the_same_for_2_and_for_30_lines(name: str, more: str) -> None:
    browser = staff()
    fill(1)
    room, recording = Room.objects.get(), Recording.objects.get()
    path = f"/admin/rooms/{name}/{(room if more == 'seats' else recording).pk}/change/"
    cost(browser, path)
    few = cost(browser, path)
    now = timezone.now()
    for n in range(1, 29):
        user = person(f"more{n}")
        Seat.objects.create(room=room, user=user, place=2, left_at=now, left_reason="left")
        add_file(recording, n)
    assert cost(browser, path) == few


@pytest.mark.parametrize(
    ("name", "word"),
    [
        ("room", "number 1"),
        ("room", "topic1"),
        ("room", "host1"),
        ("room", "Host of 1"),
        ("recording", "number 1"),
        ("recording", "host1"),
        ("consent", "guest1"),
        ("roomevent", "number 1"),
    ],
)
def test_what_is_looked_for_is_found_alone(name: str, word: str) -> None:
    fill(3)
    room = Room.objects.get(title="Room number 1")
    for query in (word, room.slug):
        answer = staff_again().get(f"/admin/rooms/{name}/", {"q": query})
        found = list(answer.context["cl"].queryset)
        assert [getattr(row, "room", row) for row in found] == [room], query


def staff_again() -> Client:
    from people.models import User

    boss = User.objects.filter(handle="boss").first() or person("boss", is_staff=True, is_superuser=True)
    return sign_in_staff(Client(), boss)


def test_filters_and_dates() -> None:
    fill(2)
    live = open_room("alive")
    answer = staff().get("/admin/rooms/room/", {"status__exact": "live"})
    assert list(answer.context["cl"].queryset) == [live]
    yesterday = timezone.now() - timedelta(days=1)
    Room.objects.filter(pk=live.pk).update(started_at=yesterday)
    day = {"started_at__year": yesterday.year, "started_at__month": yesterday.month, "started_at__day": yesterday.day}
    assert list(staff_again().get("/admin/rooms/room/", day).context["cl"].queryset) == [live]


@pytest.mark.parametrize("name", LISTS)
def test_what_happened_is_not_edited(name: str) -> None:
    fill(1)
    browser = staff()
    row: Any = {"room": Room, "recording": Recording, "roomevent": RoomEvent, "consent": Consent}[name].objects.get()  # type: ignore[attr-defined]
    assert browser.get(f"/admin/rooms/{name}/add/").status_code == 403
    assert browser.post(f"/admin/rooms/{name}/{row.pk}/change/", {"title": "Forged"}).status_code == 403
    assert browser.post(f"/admin/rooms/{name}/{row.pk}/delete/", {"post": "yes"}).status_code == 403
    browser.post(f"/admin/rooms/{name}/", {"action": "delete_selected", "_selected_action": row.pk, "post": "yes"})
    assert type(row).objects.filter(pk=row.pk).exists()
    assert Room.objects.get().title == "Room number 0"


def end(browser: Client, *rooms: Room) -> Any:
    chosen = {"action": "end_rooms", "_selected_action": [room.pk for room in rooms]}
    return browser.post("/admin/rooms/room/", chosen, follow=True)


def told(answer: Any) -> list[str]:
    return [str(message) for message in answer.context["messages"]]


def test_staff_end_rooms_by_the_one_action() -> None:
    live, over = open_room("first"), open_room("second")
    actions.end_room(over.pk, over.host)
    answer = end(staff(), live, over)
    live.refresh_from_db()
    over.refresh_from_db()
    assert (live.status, live.end_reason, over.end_reason) == ("ended", "staff", "host")
    assert RoomEvent.objects.filter(room=live).latest("seq").type == "room_ended"
    assert "1 room was ended." in told(answer) and len(told(answer)) == 2


@pytest.mark.parametrize("codename", ["view_room", "change_room"])
def test_only_who_may_change_rooms_ends_them(codename: str) -> None:
    room, user = open_room(), person("helper", is_staff=True)
    user.user_permissions.add(*Permission.objects.filter(codename__in=["view_room", codename]))
    end(sign_in_staff(Client(), user), room)
    room.refresh_from_db()
    assert room.is_live is (codename == "view_room")


def test_the_admin_is_for_staff(client: Client) -> None:
    fill(1)
    client.force_login(person("curious"))
    looks: list[Callable[[], Any]] = [lambda name=name: client.get(f"/admin/rooms/{name}/") for name in LISTS]  # type: ignore[misc]
    assert {look().status_code for look in looks} == {302}


@pytest.mark.parametrize(("codename", "policy"), [("view_room", "anyone"), ("change_room", "invited")])
def test_only_who_may_change_rooms_says_who_may_come_in(codename: str, policy: str) -> None:
    room, over, user = open_room(), open_room("second"), person("helper", is_staff=True)
    actions.end_room(over.pk, over.host)
    user.user_permissions.add(*Permission.objects.filter(codename__in=["view_room", codename]))
    browser = sign_in_staff(Client(), user)
    chosen = {"action": "entry_invited", "_selected_action": [room.pk, over.pk]}
    answer = browser.post("/admin/rooms/room/", chosen, follow=True)
    room.refresh_from_db()
    assert room.entry_policy == policy
    assert ("1 room was changed." in told(answer)) is (codename == "change_room")
