"""People who come in in the same moment share turns and queries, and nothing else."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from channels.db import database_sync_to_async as run
from django.db import connection

from people.models import Sanction, User
from people.standing import standing_of
from rooms import actions
from rooms.live import admitting
from rooms.live.admitting import Arrival, Door, admit, admit_together
from rooms.models import Invitation, ListenerChoice, Room
from rooms.rules.identity import Who, cookies_of
from rooms.rules.permissions import Facts
from rooms.rules.refusals import RoomRefused
from tests.support.people import person, session_cookie
from tests.support.privileges import superuser
from tests.support.rooms import open_room
from tests.support.rounds import statements
from tests.support.waiting import wait_until


def arrival(room: Room, user: User, listener: str = "") -> Arrival:
    return Arrival(room, Who.of_user(user, "session", listener), standing_of(user))


@pytest.mark.django_db
def test_each_gets_what_is_theirs(monkeypatch: pytest.MonkeyPatch, django_assert_num_queries: Any) -> None:
    room, guest, removed, suspended = open_room(), person("guest"), person("removed"), person("suspended")
    actions.remove_person(room.pk, removed, room.host)
    Sanction.objects.create(user=suspended, kind=Sanction.Kind.SUSPENDED, why="of the test")
    other = open_room("else", entry_policy="followers")
    arrivals = [
        arrival(room, guest),
        arrival(room, removed),
        arrival(room, suspended),
        arrival(room, room.host),
        arrival(other, guest),
    ]
    plain, away, out, host, stranger = admit_together(arrivals)
    assert isinstance(plain, tuple) and plain[0] == frozenset() and plain[1]["user"] == "guest"
    assert isinstance(away, RoomRefused) and away.code == "not_allowed" and away.more == {"follow": "host"}
    assert isinstance(out, RoomRefused) and out.code == "account_suspended"
    assert isinstance(host, Facts), "the host's side gets more, by queries of its own: after the others"
    assert admit(arrivals[3], host)[0] == {"host"} and admit(arrivals[3], host)[1]["may"]["end"]
    assert isinstance(stranger, RoomRefused) and stranger.more == {"follow": "else"}
    for one, together in zip(arrivals, (plain, away, out, host, stranger), strict=True):
        (alone,) = admit_together([one])
        assert repr(alone) == repr(together)
    with django_assert_num_queries(1):
        admit_together([arrivals[0], Arrival(other, arrivals[0].who, arrivals[2].standing)])
    monkeypatch.setattr(admitting, "you", lambda _room, who, _facts: {"user": 1 / (who.user.handle != "guest")})
    broken, other_guest = admit_together([arrivals[0], arrival(room, person("other"))])
    assert isinstance(broken, ZeroDivisionError) and isinstance(other_guest, tuple), "a fault keeps nobody else out"


@pytest.mark.django_db(transaction=True)
def test_a_connection_that_was_lost_refuses_nobody() -> None:
    """The server ended it while nobody used it."""
    guest = arrival(open_room(), person("guest"))
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        (backend,) = cursor.fetchone()
    with superuser() as other:
        other.execute("SELECT pg_terminate_backend(%s)", [backend])
    until_gone(backend)
    (entry,) = admit_together([guest])
    assert isinstance(entry, tuple)


def until_gone(backend: int) -> None:
    def is_gone() -> bool:
        with superuser() as other:
            return other.execute("SELECT 1 FROM pg_stat_activity WHERE pid = %s", [backend]).fetchone() is None

    wait_until(is_gone, 10, "the connection is lost")


@pytest.mark.django_db
def test_nobody_waits_for_what_another_has_to_write(django_assert_num_queries: Any) -> None:
    """A coming that is noted may wait for a lock, and a listener's cookie is remembered in Redis: after the others."""
    room, invited, guest = open_room(), person("invited"), person("guest")
    Invitation.objects.create(room=room, user=invited, by=room.host, by_helper=True, kind="speak")
    ListenerChoice.objects.create(room=room, user=invited, unseen=False)
    late, *others = arrival(room, invited), arrival(room, guest), arrival(room, guest, "a:before")
    with django_assert_num_queries(1):
        facts, entry, with_cookie = admit_together([late, *others])
    assert isinstance(entry, tuple) and isinstance(facts, Facts) and isinstance(with_cookie, Facts)
    assert Invitation.objects.get().came_at is None
    assert admit(late, facts)[1]["user"] == "invited" and Invitation.objects.get().came_at is not None


@pytest.mark.django_db(transaction=True)
async def test_a_crowd_at_the_door_shares_its_queries() -> None:
    def crowd() -> tuple[Room, list[User], list[dict[str, str]]]:
        room, users = open_room(), [person(f"guest{number}") for number in range(20)]
        actions.remove_person(room.pk, users[3], room.host)
        return room, users, [cookies_of({"cookie": session_cookie(user)}) for user in users]

    room, users, browsers = await run(crowd)()
    door = Door()

    async def come(cookies: dict[str, str]) -> Any:
        who, standing = await door.identify(cookies)
        if who.user is None:
            return who
        _sides, you = await door.admit(Arrival(room, who, standing))
        return you["user"]

    with statements() as said:
        came: list[Any] = await asyncio.gather(*map(come, browsers), come({}), return_exceptions=True)
    assert came[:3] + came[4:-1] == [user.handle for user in users if user != users[3]]
    assert isinstance(came[3], RoomRefused) and came[-1].key.startswith("a:")
    assert len(said) <= 6, said
    assert (await run(lambda: admit_together([arrival(room, users[0])]))())[0] is not None
