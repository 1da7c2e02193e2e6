"""Repeated verbs in a room (double click, second tab, two programs) act once: one state, one event."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import pytest
from django.conf import settings
from django.db import connection
from django.test import Client

from ledger.models import Entry
from people.models import User
from rooms import actions
from rooms.models import Consent, Recording, Room, RoomEvent, Seat
from tests.support.people import api_client, person
from tests.support.rooms import consented, open_room, seated

pytestmark = pytest.mark.django_db(transaction=True)


@dataclass(frozen=True)
class Act:
    """A request to /api/v1/rooms/<slug>/<path>/, who makes it, and what is true once it was made, however often."""

    name: str
    method: str
    path: str
    body: dict[str, Any]
    by: str
    answers: frozenset[int]  # those that say what is: done, or why there is nothing to do any more
    holds: Callable[[Room], bool]
    events: int  # that the room's log has more, after both; an end is one for each open seat, too


def seats(room: Room) -> int:
    return Seat.objects.filter(room=room, user__handle="guest", left_at=None).count()


def muted(room: Room) -> bool:
    return Seat.objects.get(room=room, user__handle="sam", left_at=None).muted


def held(room: Room) -> bool:
    return Seat.objects.get(room=room, user__handle="sam", left_at=None).mute_held


def role_of(room: Room, handle: str) -> str:
    return Seat.objects.get(room=room, user__handle=handle, left_at=None).role


def published(room: Room) -> bool:
    return Recording.objects.get(room=room).published_at is not None


OK = frozenset({200, 201, 204})
GONE = frozenset({409, 410})
VERSION = settings.CONSENT_VERSION
ACTS = [
    Act("consent", "post", "consent", {"version": VERSION}, "new", OK, lambda r: consents(r, "new") == 1, 0),
    Act("take a seat", "post", "seat", {}, "guest", OK, lambda r: seats(r) == 1, 1),
    Act("leave it", "delete", "seat", {}, "sam", OK | GONE, lambda r: not left_open(r), 1),
    Act("mute", "post", "mute", {"user": "sam"}, "host", OK, muted, 1),
    Act("hold", "post", "hold-mute", {"user": "sam"}, "host", OK, lambda r: muted(r) and held(r), 1),
    Act("mute all", "post", "mute-all", {}, "host", OK, muted, 1),
    Act("name", "post", "cohosts", {"user": "sam"}, "host", OK, lambda r: role_of(r, "sam") == "cohost", 1),
    Act("unseat", "post", "unseat", {"user": "sam"}, "host", OK | GONE, lambda r: not left_open(r), 1),
    Act("entry", "put", "entry", {"policy": "signed_in"}, "host", OK, lambda r: entry_of(r) == "signed_in", 1),
    Act("end", "post", "end", {}, "host", OK | GONE, lambda r: not Room.objects.get(pk=r.pk).is_live, 3),
]


def consents(room: Room, handle: str) -> int:
    return Consent.objects.filter(room=room, user__handle=handle).count()


def left_open(room: Room) -> bool:
    return Seat.objects.filter(room=room, user__handle="sam", left_at=None).exists()


def entry_of(room: Room) -> str:
    return str(Room.objects.get(pk=room.pk).entry_policy)


@pytest.fixture
def room() -> Room:
    """Live; Sam sits with an open microphone, the guest has agreed, and somebody is new."""
    room = open_room()
    sam = seated("sam", room)
    actions.set_muted(room.pk, sam, False, by=sam)
    consented(person("guest"), room)
    person("new")
    return room


def send(act: Act, room: Room) -> Any:
    try:
        client: Client = api_client(User.objects.get(handle=act.by))
        return getattr(client, act.method)(f"/api/v1/rooms/{room.slug}/{act.path}/", act.body, "application/json")
    finally:
        connection.close()


def twice(act: Act, room: Room, at_once: bool) -> list[Any]:
    with ThreadPoolExecutor(2) as pool:
        if at_once:
            return list(pool.map(lambda _number: send(act, room), range(2)))
        return [pool.submit(send, act, room).result() for _number in range(2)]


@pytest.mark.parametrize("act", ACTS, ids=[act.name for act in ACTS])
@pytest.mark.parametrize("at_once", [False, True], ids=["in turn", "at once"])
def test_twice_is_once(room: Room, act: Act, at_once: bool) -> None:
    before = RoomEvent.objects.filter(room=room).count()
    answers = twice(act, room, at_once)
    statuses = [answer.status_code for answer in answers]
    assert set(statuses) <= act.answers and set(statuses) & OK, [answer.content for answer in answers]
    assert act.holds(room)
    assert RoomEvent.objects.filter(room=room).count() == before + act.events
    for answer in answers:
        assert answer.status_code in OK or answer.json()["error"]["text"], "what is, in words"


@pytest.mark.parametrize("at_once", [False, True], ids=["in turn", "at once"])
def test_publishing_twice_is_one_act(room: Room, at_once: bool) -> None:
    actions.end_room(room.pk, room.host)
    Recording.objects.update_or_create(room=room, defaults={"state": Recording.State.READY})
    before = Entry.objects.count()
    act = Act("publish", "put", "replay", {"published": True}, "host", OK, published, 0)
    answers = twice(act, room, at_once)
    assert [answer.status_code for answer in answers] == [200, 200] and published(room)
    assert Entry.objects.count() - before <= 1
