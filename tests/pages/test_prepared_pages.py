"""Pages of prepared rooms without script: the forms, the room's page for each reader, and where it is listed."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.contrib.auth.models import Permission
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from people.models import Creator, User
from rooms import actions
from rooms.models import Room
from rooms.rules.starts import NOT_HELD_AFTER
from social.models import Block, Follow
from tests.support.people import person
from tests.support.rooms import begins, open_room, prepared_room
from tests.support.staff import sign_in_staff, with_fresh_step

pytestmark = pytest.mark.django_db
FORM = {"title": "Bread", "language": "en", "speak_policy": "everyone", "entry_policy": "anyone", "transcription": "on"}


def signed_in(user: User, **options: Any) -> Client:
    client = Client(**options)
    client.force_login(user)
    return client


def text_of(answer: Any) -> str:
    page = re.sub(r"<(script|style|svg|option)\b.*?</\1>", "", answer.content.decode(), flags=re.S)
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", page))


def starts(**changed: str) -> dict[str, str]:
    """The fields of a form that prepares a room."""
    day = f"{timezone.now() + timedelta(days=2):%Y-%m-%d}"
    return {**FORM, "when": "later", "date": day, "time": "20:00", "zone": "Europe/Amsterdam", **changed}


def test_the_form_opens_now_unless_later_is_chosen() -> None:
    host = person("host", creator=True, time_zone="Europe/Amsterdam")
    client = signed_in(host)
    page = client.get("/rooms/open/").content.decode()
    assert '<option value="Europe/Amsterdam" selected>' in page and 'value="now"' in page
    assert client.post("/rooms/open/", {**FORM, "when": "now", "date": "no day", "zone": "x"}).status_code == 302
    live = Room.objects.get()
    assert live.is_live
    assert client.get("/rooms/open/")["Location"] == live.get_absolute_url()
    later = client.get("/rooms/open/?when=later")
    assert later.status_code == 200, "another one can be prepared meanwhile"
    answer = client.post("/rooms/open/", starts())
    room = Room.objects.get(status="scheduled")
    assert answer["Location"] == room.get_absolute_url()
    assert (room.starts_wall[11:], room.starts_zone) == ("20:00", "Europe/Amsterdam")
    again = client.post("/rooms/open/", starts())
    assert again["Location"] == room.get_absolute_url() and Room.objects.count() == 2, "the form was sent twice"
    other = client.post("/rooms/open/", starts(title="Butter"))
    assert other.status_code == 200 and "Leave 60 minutes" in text_of(other)


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"date": ""}, "This field is required"),
        ({"time": "25:00"}, "Enter a valid time"),
        ({"zone": "Mars/Olympus"}, "Select a valid choice"),
        ({"date": "2020-01-01"}, "at least 5 minutes from now"),
        ({"date": "2090-01-01"}, "at most 90 days from now"),
        ({"title": ""}, "This field is required"),
    ],
)
def test_what_is_wrong_with_a_start_is_said_beside_it(changed: dict[str, str], said: str) -> None:
    answer = signed_in(person("host", creator=True)).post("/rooms/open/", starts(**changed))
    assert answer.status_code == 200 and text_of(answer).count(said) == 2, "in the list of what is wrong and beside it"
    assert not Room.objects.exists()


def test_who_may_not_host_gets_no_form_and_no_room() -> None:
    client = signed_in(person("guest"))
    assert "Prepare the room" not in text_of(client.get("/rooms/open/?when=later"))
    assert "Only members of the creator group" in text_of(client.post("/rooms/open/", starts()))
    assert not Room.objects.exists()


def test_the_page_says_when_in_the_readers_zone_and_the_hosts() -> None:
    room = prepared_room(ahead=timedelta(days=3), zone="Europe/Amsterdam", topic="Crusts and all")
    assert room.starts_at is not None
    begins(room, datetime.fromisoformat("2027-01-10T19:00:00+00:00"))
    Room.objects.filter(pk=room.pk).update(starts_wall="2027-01-10T20:00")
    near = text_of(signed_in(person("near", time_zone="Europe/Amsterdam")).get(room.get_absolute_url()))
    far_page = signed_in(person("far", time_zone="America/New_York")).get(room.get_absolute_url())
    far = text_of(far_page)
    assert "10 January 2027 20:00" in near and "Crusts and all" in near and "Not open yet" in near
    assert "10 January 2027 14:00" in far and "For the host it is 10 January 2027 20:00 (time of Amsterdam)." in far
    assert "data-elsewhere>" in far_page.content.decode()
    assert '<noscript><meta http-equiv="refresh" content="20"></noscript>' in far_page.content.decode()
    assert "Open the room now" not in far and "Cancel the room" not in far
    host = text_of(signed_in(room.host).get(room.get_absolute_url()))
    assert all(word in host for word in ("Open the room now", "Change", "Cancel the room"))


def test_a_host_who_may_not_open_it_any_more_reads_why() -> None:
    room = prepared_room()
    Creator.objects.filter(user=room.host).delete()
    client = signed_in(room.host)
    page = text_of(client.get(room.get_absolute_url()))
    assert "You cannot open this room at the moment. Only members of the creator group open rooms." in page
    assert "Open the room now" not in page and "Cancel the room" in page
    answer = client.post(f"{room.get_absolute_url()}open/", follow=True)
    assert "Only members of the creator group" in text_of(answer)
    assert Room.objects.get().is_prepared


def test_at_the_door_of_one_that_is_not_for_you() -> None:
    room = prepared_room(entry_policy="followers")
    answer = signed_in(person("guest")).get(room.get_absolute_url())
    assert answer.status_code == 403 and room.title not in text_of(answer)
    assert f"/rooms/{room.slug}/report/" not in answer.content.decode(), "nothing has happened here"
    assert Client().get(room.get_absolute_url()).status_code == 401


def test_changed_by_its_host_alone() -> None:
    room = prepared_room()
    address = f"{room.get_absolute_url()}prepared/"
    for client in (signed_in(person("guest")), signed_in(person("creator", creator=True))):
        assert [client.get(address).status_code, client.post(address, starts()).status_code] == [404, 404]
    assert Client().get(address).status_code == 302
    host = signed_in(room.host)
    page = host.get(address).content.decode()
    assert 'value="Voices to come"' in page and f'value="{room.starts_wall[11:]}"' in page
    answer = host.post(address, starts(title="Butter", entry_policy="invited"))
    assert answer["Location"] == room.get_absolute_url()
    room.refresh_from_db()
    assert (room.title, room.entry_policy, room.transcription) == ("Butter", "invited", True)
    assert signed_in(room.host, enforce_csrf_checks=True).post(address, starts()).status_code == 403
    actions.cancel_room(room.pk, room.host)
    assert host.get(address)["Location"] == room.get_absolute_url()


def test_cancelled_after_a_question() -> None:
    room = prepared_room()
    address = f"{room.get_absolute_url()}cancel/"
    assert signed_in(person("guest")).post(address).status_code == 404
    host = signed_in(room.host)
    assert "Cancel this room?" in text_of(host.get(address))
    assert Room.objects.get().is_prepared, "a look cancels nothing"
    for _again in range(2):
        page = text_of(host.post(address, follow=True))
        assert "Cancelled" in page and "Host cancelled it." in page and "alert" not in page
    assert "Open the room now" not in page
    assert Client().get(room.get_absolute_url()).status_code == 200


@pytest.mark.parametrize(
    ("reason", "said"), [("not_held", "It was not opened"), ("staff", "by the staff of this site")]
)
def test_the_page_says_why_it_was_cancelled(reason: str, said: str) -> None:
    room = prepared_room()
    if reason == "staff":
        staff = person("staff", is_staff=True)
        staff.user_permissions.add(Permission.objects.get(codename="change_room"))
        actions.cancel_room(room.pk, with_fresh_step(User.objects.get(pk=staff.pk)), "staff")
    else:
        begins(room, timezone.now() - NOT_HELD_AFTER)
        actions.sweep_rooms()
    assert said in text_of(Client().get(room.get_absolute_url()))
    assert said in text_of(signed_in(room.host).get("/dashboard/"))
    assert room.title not in text_of(signed_in(room.host).get("/"))


def test_opened_by_the_button() -> None:
    room = prepared_room()
    address = f"{room.get_absolute_url()}open/"
    assert signed_in(person("guest")).post(address).status_code == 404
    host = signed_in(room.host)
    assert host.get(address)["Location"] == room.get_absolute_url() and Room.objects.get().is_prepared
    for _again in range(2):
        assert host.post(address)["Location"] == room.get_absolute_url()
    assert Room.objects.get().is_live
    assert 'data-do="share"' in host.get(room.get_absolute_url()).content.decode()


def test_home_lists_six_that_one_may_enter_followed_hosts_first() -> None:
    reader = person("reader")
    rooms = [prepared_room(f"host{n}", timedelta(days=n + 1), title=f"Room {n}.") for n in range(8)]
    Follow.objects.create(follower=reader, followed=rooms[7].host)
    Block.objects.create(blocker=rooms[0].host, blocked=reader)
    Block.objects.create(blocker=reader, blocked=rooms[1].host)
    Room.objects.filter(pk=rooms[2].pk).update(entry_policy="followers")
    Room.objects.filter(pk=rooms[3].pk).update(entry_policy="signed_in")
    mine = prepared_room(reader_host := person("both", creator=True), title="My own.")

    def listed(client: Client) -> list[str]:
        coming = client.get("/").content.decode().partition('id="coming-up"')[2]
        return re.findall(r"(Room \d|My own)\.</a>", coming)

    assert listed(signed_in(reader)) == ["Room 7", "My own", "Room 3", "Room 4", "Room 5", "Room 6"]
    assert listed(Client()) == ["Room 0", "My own", "Room 1", "Room 4", "Room 5", "Room 6"]
    page = signed_in(reader_host).get("/").content.decode()
    assert "You have prepared" in page and mine.title not in page.partition('id="coming-up"')[2]


def test_home_costs_the_same_however_many_are_prepared() -> None:
    reader = person("reader", creator=True)
    client = signed_in(reader)

    def cost() -> int:
        with CaptureQueriesContext(connection) as seen:
            assert client.get("/").status_code == 200
        return len(seen)

    prepared_room("first")
    prepared_room(reader)
    cost()
    few = cost()
    for n in range(5):
        prepared_room(f"host{n}")
        prepared_room(reader, timedelta(days=n + 2))
    assert cost() == few


def test_a_profile_shows_the_next_one_to_whom_it_is_open() -> None:
    room = prepared_room(ahead=timedelta(days=5), title="Later one")
    prepared_room(room.host, timedelta(days=2), title="Next one", entry_policy="followers")
    follower = person("follower")
    Follow.objects.create(follower=follower, followed=room.host)
    assert "Next one" in text_of(signed_in(follower).get("/people/host/"))
    page = text_of(Client().get("/people/host/"))
    assert "Later one" in page and "Next one" not in page
    actions.cancel_room(room.pk, room.host)
    assert "Later one" not in text_of(Client().get("/people/host/"))


def test_staff_cancel_in_the_admin() -> None:
    room, live = prepared_room(), open_room("other")
    boss = sign_in_staff(Client(), person("boss", is_staff=True, is_superuser=True))
    chosen = {"action": "cancel_rooms", "_selected_action": [room.pk, live.pk]}
    page = text_of(boss.post("/admin/rooms/room/", chosen, follow=True))
    assert "1 room was cancelled." in page and "This room is open already." in page
    assert set(Room.objects.values_list("status", "cancel_reason")) == {("cancelled", "staff"), ("live", "")}


def test_a_host_prepares_while_another_room_is_live() -> None:
    live = open_room()
    client = signed_in(live.host)
    assert client.post("/rooms/open/", starts()).status_code == 302
    room = Room.objects.get(status="scheduled")
    answer = client.post(f"{room.get_absolute_url()}open/", follow=True)
    assert "You are hosting a room already" in text_of(answer) and Room.objects.get(pk=room.pk).is_prepared


def test_the_invited_answer_on_the_room_s_own_page() -> None:
    room = prepared_room(person("host", creator=True), speak_policy="invited")
    ada, bob = person("ada"), person("bob")
    Follow.objects.create(follower=ada, followed=room.host)
    assert [one.result for one in actions.invite(room.pk, room.host, ["ada"], "speak")] == ["invited"]
    client, path = signed_in(ada), room.get_absolute_url()
    page = client.get(path)
    assert "Host invites you to speak" in text_of(page) and f"{path}invitation/accept/" in page.content.decode()
    assert "You accepted. You can take a place as soon as the room begins." in text_of(
        client.post(f"{path}invitation/accept/", follow=True)
    )
    page = client.get(path)
    assert "Decline after all" in text_of(page) and f"{path}invitation/accept/" not in page.content.decode()
    for other in (Client(), signed_in(bob), signed_in(room.host)):
        assert "data-invitation" not in other.get(path).content.decode()
    Block.objects.create(blocker=ada, blocked=room.host)
    assert "data-invitation" not in client.get(path).content.decode(), "by somebody whom they block"
    Block.objects.all().delete()
    assert "data-invitation" not in client.post(f"{path}invitation/decline/", follow=True).content.decode()
