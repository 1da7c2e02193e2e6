"""A name or picture that changes while its person is on stage, hosts, or asks to speak is shown at once."""

from __future__ import annotations

import time
from io import BytesIO
from typing import Any

import pytest
from channels.db import database_sync_to_async as run
from django.core.files.base import ContentFile
from django.test import Client
from PIL import Image

from people.actions.account import NAMES, replace_picture, update_profile
from people.models import User
from rooms import actions
from rooms.models import Room, RoomEvent
from rooms.rules.identity import Who
from rooms.wire.snapshot import snapshot
from tests.support.client import Page
from tests.support.people import api_client, person
from tests.support.processes import Site
from tests.support.rooms import consented, ended_room, open_room

JSON = "application/json"


def picture() -> ContentFile[bytes]:
    file = BytesIO()
    Image.new("RGB", (8, 8)).save(file, "WEBP")
    return ContentFile(file.getvalue())


def changes(room: Room) -> int:
    return RoomEvent.objects.filter(room=room, type="seats_changed").count()


def make() -> tuple[Room, User, User]:
    room = open_room(speak_policy="invited")
    ada = consented(person("ada"), room)
    actions.raise_hand(room.pk, ada)
    actions.let_up(room.pk, room.host, ada)
    asker = consented(person("asker"), room)
    actions.raise_hand(room.pk, asker)
    return room, ada, asker


@pytest.mark.timed
@pytest.mark.django_db(transaction=True)
async def test_over_a_socket_within_a_second(web: Site) -> None:
    room, ada, asker = await run(make)()
    async with Page(room, room.host) as host, Page(room) as guest:
        for page in (host, guest):
            await page.wait_for("snapshot")
        began = time.monotonic()
        await run(update_profile)(ada, display_name="Ada Anders")
        for page in (host, guest):
            data = (await page.wait_for("seats_changed"))["data"]
            assert {seat["user"]: seat["name"] for seat in data["seats"]} == {"host": "Host", "ada": "Ada Anders"}
        assert time.monotonic() - began < 1.0
        await run(replace_picture)(ada, picture())
        data = (await guest.wait_for("seats_changed"))["data"]
        assert [bool(seat["picture"]) for seat in data["seats"]] == [False, True]
        await run(update_profile)(room.host, display_name="Hanna")
        data = (await guest.wait_for("seats_changed"))["data"]
        assert data["host_name"] == "Hanna" and data["seats"][0]["name"] == "Hanna"
        await run(update_profile)(asker, display_name="Asker Other")
        again = await host.wait_for("hand_raised")
        assert again["data"]["name"] == "Asker Other"
        assert not guest.of_type("hand_raised") and len(guest.of_type("seats_changed")) == 3
        assert guest.snapshot["seq"] + 3 == max(guest.seqs), "the asker is not on stage"
    fresh = await run(snapshot)(room.pk, Who(None, "a:x"))
    assert fresh["room"]["host_name"] == "Hanna"


@pytest.mark.django_db(transaction=True)
def test_only_what_people_see_and_only_where_they_see_it() -> None:
    room, ada, _asker = make()
    over = ended_room("other")
    listener = person("listener")
    for user, fields in (
        (listener, {"display_name": "Somebody else"}),
        (ada, {"display_name": "Ada"}),
        (ada, {"about": "New words", "language": "nl"}),
        (over.host, {"display_name": "Other Other"}),
    ):
        update_profile(user, **fields)
    assert changes(room) == changes(over) == 0
    actions.leave_seat(room.pk, room.host)
    update_profile(room.host, display_name="Away from the table")
    assert changes(room) == 1, "the host's name is shown without a seat"
    last = RoomEvent.objects.filter(room=room).order_by("-seq")[0]
    assert last.data["host_name"] == "Away from the table" and [one["user"] for one in last.data["seats"]] == ["ada"]
    entries = snapshot(room.pk, Who.of_user(room.host))["you"]["parts"]["panel"]["happened"]
    assert entries[-1]["type"] == "seat_left", "a change of name is no entry"


@pytest.mark.django_db(transaction=True)
def test_a_name_changes_so_often_and_no_more(client: Client) -> None:
    """Each change is an event of every room that the person is in."""
    room, ada, _asker = make()
    api = api_client(ada)
    answers: list[Any] = [
        api.patch("/api/v1/me/", {"name": f"Ada {number}"}, JSON) for number in range(NAMES.burst + 3)
    ]
    codes = [answer.status_code for answer in answers]
    assert codes[0] == 200 and codes[-1] == 429 and answers[-1].json()["error"]["code"] == "too_fast"
    ada.refresh_from_db()
    assert changes(room) == codes.count(200)
    kept = ada.display_name
    client.force_login(ada)
    form = {"display_name": "Once more", "about": "", "language": "en", "time_zone": "UTC"}
    assert client.post("/settings/", form).status_code == 429
    ada.refresh_from_db()
    assert ada.display_name == kept
    assert api.patch("/api/v1/me/", {"about": "Words"}, JSON).status_code == 200, "the rest of a profile is free"
