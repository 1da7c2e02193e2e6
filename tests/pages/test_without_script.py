"""Policies of a room as its host changes them without script."""

from __future__ import annotations

import pytest
from django.test import Client

from people.models import User
from rooms.models import Room, Seat
from social.models import Block, Follow
from tests.support.people import person
from tests.support.rooms import open_room, seated

pytestmark = pytest.mark.django_db


def browser(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def at(room: Room, path: str) -> str:
    return f"{room.get_absolute_url()}{path}"


def on_stage(room: Room) -> list[str]:
    return list(Seat.objects.filter(room=room, left_at=None).order_by("place").values_list("user__handle", flat=True))


def test_a_tighter_speak_policy_asks_about_those_on_stage() -> None:
    room = open_room()
    friend, _guest, _other = (seated(name, room) for name in ("friend", "guest", "other"))
    Follow.objects.create(follower=room.host, followed=friend)
    host = browser(room.host)
    answer = host.post(at(room, "speak/"), {"policy": "followed"}, follow=True)
    assert answer.redirect_chain == [(at(room, "speak/"), 302)]
    page = answer.content.decode()
    assert 'value="guest"' in page and 'value="other"' in page and 'value="friend"' not in page
    assert on_stage(room) == ["host", "friend", "guest", "other"], "nobody leaves by the policy"
    answer = host.post(at(room, "speak/to-audience/"), {"user": "guest"}, follow=True)
    assert 'value="guest"' not in answer.content.decode() and 'value="other"' in answer.content.decode()
    answer = host.post(at(room, "speak/to-audience/"), {"user": "other"}, follow=True)
    assert answer.redirect_chain[-1] == (room.get_absolute_url(), 302), "nobody is left to ask about"
    assert on_stage(room) == ["host", "friend"]
    answer = host.post(at(room, "speak/"), {"policy": "everyone"}, follow=True)
    assert answer.redirect_chain[-1] == (room.get_absolute_url(), 302)
    assert Room.objects.get(pk=room.pk).speak_policy == "everyone"


def test_others_than_the_host_s_side_change_and_see_nothing() -> None:
    room = open_room(speak_policy="invited")
    guest, helper, stranger = person("guest"), person("helper"), person("stranger")
    Seat.objects.create(room=room, user=guest, place=1)
    Seat.objects.create(room=room, user=helper, role="cohost", place=11)
    blocked = person("blocked")
    Block.objects.create(blocker=room.host, blocked=blocked)
    for user in (guest, stranger, blocked):
        client = browser(user)
        client.post(at(room, "speak/"), {"policy": "everyone"})
        client.post(at(room, "speak/to-audience/"), {"user": "guest"})
        client.post(at(room, "entry/"), {"policy": "invited"})
        answer = client.get(at(room, "speak/"))
        assert (answer.status_code, answer["Location"]) == (302, room.get_absolute_url())
    nobody = Client().post(at(room, "speak/"), {"policy": "everyone"})
    assert nobody.status_code == 302 and "/login/" in nobody["Location"]
    room.refresh_from_db()
    assert (room.speak_policy, room.entry_policy) == ("invited", "anyone")
    assert on_stage(room) == ["host", "guest", "helper"]
    assert 'value="guest"' in browser(helper).get(at(room, "speak/")).content.decode()
    for name, status in (("host", 302), ("helper", 302), ("nobody", 404), ("", 404)):
        answer = browser(helper).post(at(room, "speak/to-audience/"), {"user": name})
        assert answer.status_code == status, name
    assert on_stage(room) == ["host", "guest", "helper"], "neither the host nor oneself"
    assert browser(room.host).post(at(room, "speak/"), {"policy": "nobody"}).status_code == 302
    assert Room.objects.get(pk=room.pk).speak_policy == "invited"
    assert browser(room.host).get("/r/nosuchroom/speak/").status_code == 404


def test_the_form_is_the_host_s_side_s_alone() -> None:
    room = open_room()
    for user, has in ((room.host, True), (person("guest"), False)):
        page = browser(user).get(room.get_absolute_url()).content.decode()
        form = page[page.index(f'action="{at(room, "speak/")}"') :].partition(">")[0]
        assert ("hidden" not in form) is has
