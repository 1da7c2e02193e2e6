"""The audience as each reader may see it: names for the host's side, searched and in pages, faces for others."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterable
from typing import Any

import pytest
from django.db import connection
from django.db.models.functions import Lower
from django.test import Client
from django.test.utils import CaptureQueriesContext
from redis.exceptions import RedisError

from core import bus
from people.models import User
from rooms import actions, presence
from rooms.models import ListenerChoice, Room
from rooms.queries.audience import FACES, PAGE, audience
from rooms.rules.identity import Who
from social.actions.blocks import block
from social.models import Follow
from tests.support.people import api_client, person
from tests.support.races import refused
from tests.support.rooms import consented, ended_room, open_room, seated

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def slow_clock(monkeypatch: pytest.MonkeyPatch) -> None:
    """Connections of these tests are not renewed, and last as long as a test does."""
    monkeypatch.setattr(presence, "TTL", 3600)


def here(room: Room, *people: User, anonymous: int = 0) -> None:
    """Connect people to a room, who chose to be seen, and so many anonymous listeners."""
    chosen = [ListenerChoice(room=room, user=user, unseen=False) for user in people]
    ListenerChoice.objects.bulk_create(chosen, ignore_conflicts=True)
    members = [(presence.user_key(user.pk), "page") for user in people]
    members += [(f"a:{number}", "page") for number in range(anonymous)]

    async def enter() -> None:
        async with bus.connect() as client:
            await presence.enter(client, room.pk, members)

    asyncio.run(enter())


def listeners(names: Iterable[str]) -> list[User]:
    rows = [User(handle=f"l{number}", display_name=name, email="") for number, name in enumerate(names)]
    return User.objects.bulk_create(rows)


def handles(seen: Any) -> list[str]:
    return [one["user"] for one in (seen if isinstance(seen, list) else seen.people)]


def ask(client: Client, room: Room, **query: str) -> dict[str, Any]:
    answer = client.get(f"/api/v1/rooms/{room.slug}/audience/", query)
    assert answer.status_code == 200, answer.content
    found: dict[str, Any] = answer.json()
    return found


def best(work: Callable[[], object], times: int = 3) -> float:
    """Shortest of some runs, in seconds."""
    taken = []
    for _time in range(times):
        began = time.perf_counter()
        work()
        taken.append(time.perf_counter() - began)
    return min(taken)


def test_an_audience_of_ten_thousand_is_searched() -> None:
    """As many statements as for a small one, and not ten times the time of reading the same rows plainly."""
    room = open_room()
    crowd = listeners(f"Listener {number:05}" for number in range(10_000))
    here(room, room.host, *crowd, anonymous=500)
    host = Who.of_user(room.host)
    with CaptureQueriesContext(
        connection,
    ) as statements:
        found = audience(room, host, "listener 0999")
    assert len(statements) <= 8, [one["sql"][:120] for one in statements]
    assert (found.listening, found.named, found.found, found.more) == (10_500, 10_000, 10, False)
    assert [one["name"] for one in found.people] == [f"Listener {number:05}" for number in range(9990, 10_000)]

    whole = audience(room, host)
    assert (len(whole.people), whole.found, whole.more) == (PAGE, 10_000, True)
    assert whole.people[0]["name"] == "Listener 00000"

    accounts = [user.pk for user in crowd]
    plain = User.objects.filter(pk__in=accounts).order_by(Lower("display_name"), "pk")
    usual = best(lambda: list(plain.all()[: PAGE + 1]))
    assert best(lambda: audience(room, host, "listener 0999")) < 10 * usual


def test_pages_follow_one_another_without_a_gap() -> None:
    """Also among people of one name, and where the last of a page left or is called otherwise meanwhile."""
    room = open_room()
    crowd = listeners(["Bo"] * 60 + ["Ada", "ada"] + ["Éva", "Zoë"] * 25)
    here(room, *crowd)
    host = api_client(room.host)
    seen: list[str] = []
    for _page in range(10):
        part = ask(host, room, after=seen[-1] if seen else "")
        seen += handles(part["people"])
        if not part["more"]:
            break
    assert sorted(seen) == sorted(user.handle for user in crowd) and len(seen) == 112
    assert seen[:2] == ["l60", "l61"], "by name, capitals aside"


def test_a_search_takes_what_is_typed_literally() -> None:
    room = open_room()
    crowd = listeners(["Ada", "Adam", "100% Bo", "under_score", "Żółw"])
    here(room, *crowd)
    host = Who.of_user(room.host)
    wanted = {
        "ada": ["l0", "l1"],
        " Ada ": ["l0", "l1"],
        "%": ["l2"],
        "_": ["l3"],
        "@L4": ["l4"],
        "żÓŁ": ["l4"],
        "x": [],
    }
    assert {q: handles(audience(room, host, q)) for q in wanted} == wanted


def test_names_are_for_the_host_s_side_alone() -> None:
    """Others see those whom they follow, twelve at most; nobody who left, is on stage, or is gone by a block."""
    room = open_room()
    ada, cohost = seated("ada", room), seated("cora", room)
    actions.name_cohost(room.pk, cohost, by=room.host)
    crowd = listeners(f"Listener {number:02}" for number in range(15))
    reader, away = person("reader"), person("away")
    here(room, room.host, ada, cohost, reader, *crowd, anonymous=3)
    Follow.objects.bulk_create(Follow(follower=reader, followed=one) for one in [*crowd, ada, away, room.host])

    for helper in (room.host, cohost):
        seen = ask(api_client(helper), room)
        assert (seen["listening"], seen["named"], len(seen["people"])) == (19, 16, 16)
    mine = ask(api_client(reader), room, q="Listener 14", after="l3")
    assert (mine["listening"], mine["named"], mine["found"], mine["more"]) == (19, None, None, True)
    assert handles(mine["people"]) == [f"l{number}" for number in range(FACES)], "and no search"
    block(reader, crowd[0])
    block(crowd[1], reader)
    assert handles(ask(api_client(reader), room)["people"]) == [f"l{number}" for number in range(2, 14)]
    for other in (api_client(ada), Client()):
        assert ask(other, room) == {"listening": 19, "named": None, "found": None, "people": [], "more": False}
    actions.demote(room.pk, cohost, by=room.host)
    assert ask(api_client(cohost), room)["people"] == []


def test_who_may_not_be_there_sees_nothing() -> None:
    room = open_room(entry_policy="signed_in")
    removed = person("removed")
    actions.remove_person(room.pk, removed, by=room.host)
    for client in (api_client(removed), Client()):
        assert client.get(f"/api/v1/rooms/{room.slug}/audience/").status_code in (401, 403)
    host = api_client(room.host)
    for wrong in ({"after": "no handle"}, {"after": "nobody"}, {"q": "x" * 61}, {"q": "a\x00b"}, {"after": "\ud800"}):
        try:
            answer = host.get(f"/api/v1/rooms/{room.slug}/audience/", wrong)
        except UnicodeEncodeError:
            continue  # the client of the test cannot send it
        assert answer.status_code == 400, wrong
    over = ended_room("other")
    assert refused(audience, over, Who.of_user(over.host)) == "room_ended"


def test_without_redis_it_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    room = open_room()

    def away(*_args: Any) -> Any:
        raise RedisError("away")

    monkeypatch.setattr(presence, "people_here", away)
    monkeypatch.setattr(presence, "look", away)
    for who in (Who.of_user(room.host), Who.of_user(consented(person("lea"), room)), Who(None, "a:x")):
        assert refused(audience, room, who) == "unavailable"
