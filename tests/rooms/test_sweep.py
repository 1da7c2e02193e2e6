"""Changes of rooms by time alone. The clock is moved, nothing sleeps; presence is real Redis."""

from __future__ import annotations

import asyncio
import importlib
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
import redis.connection
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from core import bus
from deploy.local.process import wait_for
from people.models import Sanction, User
from rooms import actions, presence
from rooms.models import Hand, Room, RoomEvent, Seat
from tests.support.people import people
from tests.support.redis_away import redis_away
from tests.support.rooms import consented, is_connected, open_room, people_in, seated

pytestmark = pytest.mark.django_db(transaction=True)
NOW = timezone.now


def come(room: Room, user: User, conn: str = "page") -> None:
    asyncio.run(_presence("enter", room, user, conn))


def go(room: Room, user: User, conn: str = "page") -> None:
    asyncio.run(_presence("leave", room, user, conn))


async def _presence(what: str, room: Room, user: User, conn: str) -> None:
    async with bus.connect() as client:
        if what == "enter":
            await presence.enter(client, room.pk, [(presence.user_key(user.pk), conn)])
        else:
            await presence.leave(client, room.pk, presence.user_key(user.pk), conn)


def types(room: Room) -> list[str]:
    return list(RoomEvent.objects.filter(room=room, seq__gt=2).order_by("seq").values_list("type", flat=True))


def at(seconds: float) -> Any:
    return NOW() + timedelta(seconds=seconds)


def test_a_host_who_reloads_is_not_lost() -> None:
    room = open_room()
    come(room, room.host)
    assert actions.sweep_rooms(at(0)) == 0
    go(room, room.host)
    actions.sweep_rooms(at(0))
    come(room, room.host, "the page again")
    actions.sweep_rooms(at(60))
    assert types(room) == []


def test_a_host_who_stays_away_ends_the_room(settings: Any) -> None:
    settings.ROOM_HOST_GRACE_SECONDS, settings.ROOM_EMPTY_STAGE_SECONDS = 120, 3600
    room = open_room()
    come(room, room.host)
    actions.sweep_rooms(at(0))
    go(room, room.host)
    actions.sweep_rooms(at(0))
    actions.sweep_rooms(at(6))
    assert types(room) == ["host_lost"]
    room.refresh_from_db()
    assert room.host_lost_at is not None and abs((room.host_lost_at - NOW()).total_seconds()) < 5
    lost = RoomEvent.objects.get(room=room, type="host_lost").data
    assert lost["lost_at"] < lost["ends_at"]
    actions.sweep_rooms(at(110))
    assert types(room) == ["host_lost"], "told once, and the grace period is kept"
    assert actions.sweep_rooms(at(125)) == 1
    room.refresh_from_db()
    assert (room.status, room.end_reason) == ("ended", "host_gone")
    assert types(room) == ["host_lost", "seat_left", "room_ended"]
    assert actions.sweep_rooms(at(200)) == 0


def test_a_host_who_comes_back_in_time(settings: Any) -> None:
    settings.ROOM_EMPTY_STAGE_SECONDS = 3600
    room = open_room()
    actions.sweep_rooms(at(0))
    actions.sweep_rooms(at(6))
    come(room, room.host)
    actions.sweep_rooms(at(60))
    assert types(room) == ["host_lost", "host_back"]
    go(room, room.host)
    actions.sweep_rooms(at(61))
    assert types(room) == ["host_lost", "host_back"], "away anew: the clock starts again"


def test_a_killed_web_process_is_noticed(settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody says goodbye for its connections: they expire."""
    room = open_room()
    come(room, room.host)
    actions.sweep_rooms(at(0))
    assert is_connected(room.pk, room.host_id)
    monkeypatch.setattr(presence, "TTL", 0.05)
    come(room, room.host)
    wait_for("the end of its time", lambda: not is_connected(room.pk, room.host_id), seconds=10)
    assert people_in(room.pk) == 0
    actions.sweep_rooms(at(0))
    actions.sweep_rooms(at(6))
    assert types(room) == ["host_lost"]


def test_a_stage_on_which_nobody_is(settings: Any) -> None:
    settings.ROOM_HOST_GRACE_SECONDS, settings.ROOM_EMPTY_STAGE_SECONDS = 3600, 300
    room = open_room()
    guest = seated("guest", room)
    come(room, guest)
    actions.sweep_rooms(at(0))
    actions.sweep_rooms(at(400))
    assert Room.objects.get(pk=room.pk).stage_empty_at is None
    go(room, guest)
    actions.sweep_rooms(at(0))
    come(room, guest)
    actions.sweep_rooms(at(50))
    assert Room.objects.get(pk=room.pk).stage_empty_at is None, "somebody came back"
    actions.leave_seat(room.pk, guest)
    actions.sweep_rooms(at(60))
    assert actions.sweep_rooms(at(200)) == 0
    assert actions.sweep_rooms(at(361)) == 1, "a listener is no one on stage"
    assert Room.objects.get(pk=room.pk).end_reason == "stage_empty"


def test_a_speaker_who_stays_away_gives_the_place_back(settings: Any) -> None:
    settings.ROOM_SPEAKER_GRACE_SECONDS = 60
    room = open_room()
    guest = seated("guest", room)
    come(room, room.host)
    come(room, guest)
    actions.sweep_rooms(at(0))
    go(room, guest)
    actions.sweep_rooms(at(0))
    actions.sweep_rooms(at(50))
    assert Seat.objects.filter(room=room, user=guest, left_at=None).exists()
    actions.sweep_rooms(at(61))
    left = RoomEvent.objects.get(room=room, type="seat_left")
    assert left.data == {"user": "guest", "reason": "lost"}
    assert Seat.objects.get(room=room, user=guest).left_reason == "lost"


def test_time_is_up() -> None:
    room = open_room(ends_by=at(1800))
    come(room, room.host)
    assert actions.sweep_rooms(at(1700)) == 0
    assert actions.sweep_rooms(at(1801)) == 1
    assert Room.objects.get(pk=room.pk).end_reason == "time_up"


def test_without_redis_nothing_ends(settings: Any, caplog: pytest.LogCaptureFixture) -> None:
    room = open_room()
    with redis_away(settings):
        assert actions.sweep_rooms(at(9000)) == 0
    assert Room.objects.get(pk=room.pk).is_live and "presence is not known" in caplog.text


def test_a_host_who_came_back_while_we_looked(monkeypatch: pytest.MonkeyPatch, settings: Any) -> None:
    """The decision was made on what was read before: the action looks again under the lock."""
    module = importlib.import_module("rooms.actions.sweep")
    settings.ROOM_EMPTY_STAGE_SECONDS = 3600
    room = open_room()
    actions.host_lost(room.pk, at(-600))
    actions.sweep_rooms(at(-10))
    real: Callable[[int, str], bool] = module._end_if_still

    def back_just_now(room_pk: int, reason: str) -> bool:
        actions.host_back(room_pk)
        return real(room_pk, reason)

    monkeypatch.setattr(module, "_end_if_still", back_just_now)
    assert actions.sweep_rooms(at(0)) == 0
    assert Room.objects.get(pk=room.pk).is_live and types(room) == ["host_lost", "host_back"]


def test_a_room_that_fails_keeps_no_other_waiting(caplog: pytest.LogCaptureFixture) -> None:
    """Its log and its counter do not fit together any more, so nothing can be written to it."""
    bad, good = open_room("bad", ends_by=at(-1)), open_room("good", ends_by=at(-1))
    Room.objects.filter(pk=bad.pk).update(seq=0)
    assert actions.sweep_rooms(at(0)) == 1
    assert Room.objects.get(pk=bad.pk).is_live and not Room.objects.get(pk=good.pk).is_live
    assert "the sweep of a room failed" in caplog.text


def test_a_room_whose_presence_cannot_be_read_keeps_no_other_waiting(caplog: pytest.LogCaptureFixture) -> None:
    bad, good = open_room("bad"), open_room("good")
    for name in presence._keys(bad.pk):
        bus.client().set(name, "something else")
    actions.sweep_rooms(at(0))
    actions.sweep_rooms(at(6))
    assert (types(bad), types(good)) == ([], ["host_lost"])
    assert f"presence of room {bad.pk} cannot be read" in caplog.text
    assert list(presence.look_many({bad.pk: [], good.pk: []})) == [good.pk]
    with pytest.raises(redis.exceptions.ResponseError):
        presence.look(bad.pk, [])


def test_an_account_that_may_not_speak_leaves_the_stages_that_can_be_left(caplog: pytest.LogCaptureFixture) -> None:
    bad, good = open_room("bad"), open_room("good")
    guest = seated("guest", bad)
    Room.objects.filter(pk=bad.pk).update(seq=0)
    consented(guest, good)
    actions.take_seat(good.pk, guest)
    Sanction.objects.create(user=guest, kind="no_stage", why="shouting")
    actions.sweep_rooms(at(0))
    assert list(Seat.objects.filter(user=guest, left_at=None).values_list("room", flat=True)) == [bad.pk]
    assert "taking an account off a stage failed" in caplog.text


def test_a_round_costs_no_more_for_many_rooms(monkeypatch: pytest.MonkeyPatch) -> None:
    """One question to Redis and the same few to the database, for one room and twenty with full stages and hands up."""

    def cost() -> tuple[int, int]:
        asked: list[object] = []

        def sent(self: Any, *words: Any, send: Any = redis.connection.Connection.send_packed_command) -> Any:
            asked.append(words)
            return send(self, *words)

        with monkeypatch.context() as patch, CaptureQueriesContext(connection) as queries:
            patch.setattr(redis.connection.Connection, "send_packed_command", sent)
            actions.sweep_rooms(at(0))
        return len(asked), len(queries)

    first = open_room("host0")
    actions.sweep_rooms(at(0))  # what is said once, that a stage is empty, is no part of a round
    one = cost()
    rooms = [first, *(open_room(f"host{number}") for number in range(1, 20))]
    for number, room in enumerate(rooms):
        for place in range(3):
            seated(f"guest{number}-{place}", room)
        Hand.objects.bulk_create(Hand(room=room, user=user) for user in people(3))
    actions.sweep_rooms(at(0))
    assert cost() == one and one[0] == 1 and one[1] <= 8


def test_who_came_back_and_blinks_keeps_the_seat(settings: Any) -> None:
    """Away for long, left, back an hour later: the clock begins anew when they are away again."""
    settings.ROOM_SPEAKER_GRACE_SECONDS = 60
    room = open_room()
    guest = seated("guest", room)
    come(room, room.host)
    actions.sweep_rooms(at(0))
    actions.leave_seat(room.pk, guest)
    come(room, guest)
    actions.take_seat(room.pk, guest)
    go(room, guest)
    actions.sweep_rooms(at(3600))
    assert Seat.objects.filter(room=room, user=guest, left_at=None).exists()
    actions.sweep_rooms(at(3661))
    assert not Seat.objects.filter(room=room, user=guest, left_at=None).exists()


def test_who_was_back_between_two_rounds_was_back(settings: Any) -> None:
    settings.ROOM_SPEAKER_GRACE_SECONDS = 60
    room = open_room()
    guest = seated("guest", room)
    come(room, room.host)
    actions.sweep_rooms(at(0))
    come(room, guest)
    go(room, guest)
    actions.sweep_rooms(at(61))
    assert Seat.objects.filter(room=room, user=guest, left_at=None).exists()


@pytest.mark.parametrize("lost", ["the clock", "Redis"])
def test_marks_are_good_only_as_long_as_the_clock_goes(settings: Any, lost: str) -> None:
    """Nobody looked for a while, or Redis came back empty: who was here meanwhile is not known, and nobody goes."""
    settings.ROOM_SPEAKER_GRACE_SECONDS = settings.ROOM_EMPTY_STAGE_SECONDS = settings.ROOM_HOST_GRACE_SECONDS = 60
    room = open_room()
    guest = seated("guest", room)
    actions.sweep_rooms(at(0))
    actions.sweep_rooms(at(10))
    room.refresh_from_db()
    assert room.host_lost_at and room.stage_empty_at
    away = presence._keys(room.pk)[2]
    assert 0 < bus.client().pttl(away) <= presence.AWAY_KEPT * 1000
    bus.client().flushall() if lost == "Redis" else bus.client().delete(away)
    assert actions.sweep_rooms(at(4000)) == 0
    assert Room.objects.get(pk=room.pk).is_live
    assert Seat.objects.filter(room=room, user=guest, left_at=None).exists()
    assert actions.sweep_rooms(at(4061)) == 1


def test_a_room_whose_time_is_up_ends_without_redis_too(settings: Any) -> None:
    room, other = open_room("host", ends_by=at(10)), open_room("other")
    with redis_away(settings):
        assert actions.sweep_rooms(at(20)) == 1
    assert not Room.objects.get(pk=room.pk).is_live and Room.objects.get(pk=other.pk).is_live
