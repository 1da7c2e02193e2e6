"""Forms of a live room that work without script, and what they refuse."""

from __future__ import annotations

import pytest
from django.test import Client

from people.models import User
from rooms import actions
from rooms.models import Room
from tests.support.people import person
from tests.support.rooms import open_room, seated

pytestmark = pytest.mark.django_db


def signed_in(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def test_only_the_host_ends_a_room_by_the_form() -> None:
    room = open_room()
    address = f"{room.get_absolute_url()}end/"
    for method in ("get", "post"):
        assert (
            getattr(signed_in(seated("ada", room) if method == "get" else person("lea")), method)(address).status_code
            == 404
        )
        assert getattr(Client(), method)(address).status_code == 302
    host = signed_in(room.host)
    assert host.get(address).status_code == 200
    room.refresh_from_db()
    assert room.is_live, "a look ends nothing"
    assert Client(enforce_csrf_checks=True).post(address).status_code == 403
    assert host.post(address)["Location"] == room.get_absolute_url()
    room.refresh_from_db()
    assert (room.status, room.end_reason) == (Room.Status.ENDED, Room.EndReason.HOST)
    assert [host.get(address).status_code, host.post(address).status_code] == [302, 302], "it is over"
    assert host.get("/r/nothere234/end/").status_code == 404


def test_the_language_form_leads_back_and_knows_no_other_language() -> None:
    room, lea = open_room(), person("lea")
    address = f"{room.get_absolute_url()}language/"
    client = signed_in(lea)
    assert client.post(address, {"language": "nl"})["Location"] == room.get_absolute_url()
    assert User.objects.get(pk=lea.pk).language == "nl"
    for wrong in ("xx", "", "nl" * 50):
        assert client.post(address, {"language": wrong}).status_code == 400
    assert User.objects.get(pk=lea.pk).language == "nl"
    assert client.get(address)["Location"] == room.get_absolute_url()
    assert client.put(address).status_code == 405
    assert Client().post(address, {"language": "nl"}).status_code == 302


def test_a_stranger_follows_the_host_of_a_room_that_is_over() -> None:
    room, lea = open_room(), person("lea")
    actions.end_room(room.pk, room.host)
    page = room.get_absolute_url()
    assert "Sign in to follow <bdi>Host</bdi>" in Client().get(page).content.decode()
    client = signed_in(lea)
    assert "Follow <bdi>Host</bdi>" in client.get(page).content.decode()
    answer = client.post("/people/host/follow/", {"next": page}, follow=True)
    assert "You follow <bdi>Host</bdi>." in answer.content.decode()
    assert "Follow <bdi>Host</bdi>" not in signed_in(room.host).get(page).content.decode()
