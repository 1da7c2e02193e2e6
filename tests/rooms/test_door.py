"""The door of a room: the same offer to follow the host for everybody who is not allowed, whatever the reason."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from channels.db import database_sync_to_async as run
from django.test import Client

from people.models import Sanction, User
from rooms import actions
from rooms.models import Removal, Room
from rooms.rules import matrix
from social.actions.blocks import block
from social.models import Block, Follow
from tests.support.client import Page
from tests.support.people import api_client, person
from tests.support.processes import Site
from tests.support.rooms import open_room

pytestmark = pytest.mark.django_db
JSON = "application/json"
REASONS = ("stranger", "removed", "blocked", "both")
# What differs from load to load, and in the reader's own menu: not what the door says.
OWN = re.compile(r'(csrfmiddlewaretoken" value|nonce|data-colour)="[^"]*"')


def company(room: Room) -> dict[str, User]:
    """Somebody for each reason not to be admitted, by the reason."""
    people = {reason: person(f"reader{number}", name="Ada") for number, reason in enumerate(REASONS)}
    for reason in ("removed", "both"):
        Removal.objects.create(room=room, user=people[reason], by=room.host)
    for reason in ("blocked", "both"):
        Block.objects.create(blocker=room.host, blocked=people[reason])
    return people


def browser(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def door(room: Room, user: User) -> tuple[int, str]:
    """Status and page, without what names the reader."""
    answer = browser(user).get(room.get_absolute_url())
    return answer.status_code, OWN.sub("", answer.content.decode()).replace(user.handle, "reader")


def over_the_api(room: Room, user: User) -> tuple[int, Any]:
    answer = api_client(user).get(f"/api/v1/rooms/{room.slug}/")
    return answer.status_code, answer.json()


def refused_alike(look: Callable[[Room, User], tuple[int, Any]], people: dict[str, User], room: Room) -> Any:
    """The one thing that refused people read under each policy. Fails where two read different things."""
    read = []
    for policy in matrix.ENTRY:
        Room.objects.filter(pk=room.pk).update(entry_policy=policy)
        looks = {reason: look(room, user) for reason, user in people.items()}
        assert all(looks[reason][0] == 403 for reason in REASONS if reason != "stranger")
        read += [seen for seen in looks.values() if seen[0] == 403]
    assert len(read) > 4 * 3, "strangers too, where only those who are invited come in"
    assert all(one == read[0] for one in read)
    return read[0][1]


def test_the_door_is_the_same_whatever_the_reason() -> None:
    room = open_room()
    people = company(room)
    page = refused_alike(door, people, room)
    assert "Some rooms are open to people who follow their host." in page
    assert 'action="/people/host/follow/"' in page and f'value="/r/{room.slug}/"' in page
    error = refused_alike(over_the_api, people, room)["error"]
    assert set(error) == {"code", "text", "follow"} and (error["code"], error["follow"]) == ("not_allowed", "host")
    actions.end_room(room.pk, room.host)
    assert refused_alike(door, people, room) == page, "nor does it tell that the room has ended"
    assert refused_alike(over_the_api, people, room)["error"] == error


def test_following_in_vain_is_the_same_whatever_the_reason() -> None:
    room = open_room()
    people = company(room)
    answers = []
    for user in people.values():
        form = browser(user).post("/people/host/follow/", {"next": room.get_absolute_url()})
        assert (form.status_code, form["Location"]) == (302, room.get_absolute_url())
        answer = api_client(user).post("/api/v1/people/host/follow/", {}, JSON)
        answers.append((answer.status_code, answer.json()["followed_by_you"]))
    assert set(answers) == {(200, True)}
    assert set(Follow.objects.values_list("follower", flat=True)) == {people[one].pk for one in ("stranger", "removed")}
    page = refused_alike(door, people, room)
    assert "but not everybody who does can come in" in page and "follow/" not in page
    refused_alike(over_the_api, people, room)
    for user in people.values():  # and back: they believe what they did
        api_client(user).delete("/api/v1/people/host/follow/")
    assert "Some rooms are open" in refused_alike(door, people, room)


def test_following_at_the_door_opens_a_room_for_followers() -> None:
    room = open_room(entry_policy="followers")
    guest = person("guest")
    client = browser(guest)
    assert client.get(room.get_absolute_url()).status_code == 403
    answer = client.post("/people/host/follow/", {"next": room.get_absolute_url()}, follow=True)
    assert answer.status_code == 200 and answer.redirect_chain == [(room.get_absolute_url(), 302)]
    assert over_the_api(room, guest)[0] == 200
    block(room.host, guest)
    assert door(room, guest)[0] == 403, "and a block closes it again"
    assert "but not everybody who does can come in" in door(room, guest)[1], "they believe to follow"


def test_who_is_kept_out_by_themselves_or_by_staff_is_offered_nothing() -> None:
    room = open_room(entry_policy="followers")
    blocker, suspended = person("blocker"), person("suspended")
    Block.objects.create(blocker=blocker, blocked=room.host)
    Sanction.objects.create(user=suspended, kind="suspended", why="shouting")
    for user in (blocker, suspended):
        assert "/follow/" not in door(room, user)[1]
        assert "follow" not in over_the_api(room, user)[1]["error"]
    nobody = Client().get(room.get_absolute_url())
    assert nobody.status_code == 401 and "/follow/" not in nobody.content.decode()


@pytest.mark.django_db(transaction=True)
async def test_a_socket_s_handshake_says_the_same(web: Site) -> None:
    room: Room = await run(open_room)(entry_policy="followers")
    people = await run(company)(room)
    said = []
    for follows in (False, True):
        for reason, user in people.items():
            if follows and reason == "stranger":
                continue
            if follows:
                await run(api_client(user).post)("/api/v1/people/host/follow/", {}, JSON)
            async with Page(room, user) as page:
                said.append(await page.wait_for(lambda message: "error" in message))
                assert await page.closed() == 4403
    assert len(said) == 7 and all(one == said[0] for one in said)
    assert said[0]["error"]["follow"] == "host"


def test_who_is_put_out_of_an_act_reads_the_door_too() -> None:
    room = open_room(entry_policy="signed_in")
    guest = person("guest")
    actions.remove_person(room.pk, guest, by=room.host)
    answer = api_client(guest).post(f"/api/v1/rooms/{room.slug}/hand/")
    assert answer.status_code == 403 and answer.json()["error"]["follow"] == "host"
