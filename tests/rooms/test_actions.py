"""The verbs of a room on real PostgreSQL: rows, log and what is published, in one transaction each."""

from __future__ import annotations

import functools
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any, cast

import pytest
from django.conf import settings
from django.contrib.auth.models import Permission
from django.db import IntegrityError, connection, transaction
from django.utils import timezone

from core import bus
from people.models import Creator
from rooms import actions, channels
from rooms.actions.locking import locked
from rooms.models import Consent, Recording, Room, RoomEvent, Seat
from rooms.rules.refusals import RoomRefused
from social.models import Follow
from tests.support.people import person
from tests.support.races import at_once, refused
from tests.support.redis_away import redis_away
from tests.support.rooms import consented, open_room, seated
from tests.support.staff import with_fresh_step

pytestmark = pytest.mark.django_db(transaction=True)


def log_of(room: Room) -> list[tuple[int, str]]:
    return list(RoomEvent.objects.filter(room=room).order_by("seq").values_list("seq", "type"))


def test_opening_a_room() -> None:
    room = open_room(title="  Voices  ", topic=" and tables ", language="nl", transcription=False)
    assert (room.title, room.topic, room.language, room.transcription) == ("Voices", "and tables", "nl", False)
    assert room.is_live and room.max_speakers == settings.ROOM_MAX_SPEAKERS
    seat = Seat.objects.get(room=room)
    assert (seat.user, seat.role, seat.place, seat.muted) == (room.host, "host", 0, True)
    assert Recording.objects.get(room=room).state == Recording.State.RUNNING
    assert log_of(room) == [(1, "room_opened"), (2, "seat_taken")]


def test_only_creators_open_and_only_one_room_at_a_time() -> None:
    outsider, waiting = person("outsider"), person("waiting")
    Creator.objects.create(user=waiting, asked_at=timezone.now())
    assert refused(actions.open_room, outsider, title="Hi") == "not_a_creator"
    assert refused(actions.open_room, waiting, title="Hi") == "not_a_creator"
    room = open_room()
    assert refused(actions.open_room, room.host, title="Again") == "already_hosting"
    actions.end_room(room.pk, room.host)
    assert actions.open_room(room.host, title="Again").is_live
    room.host.is_active = False
    room.host.save()
    assert refused(actions.open_room, room.host, title="Closed") == "account_closed"


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("title", ""),
        ("title", "   "),
        ("title", "x" * 121),
        ("title", "a\x00b"),
        ("topic", "x" * 281),
        ("language", "tlh"),
        ("speak_policy", "nobody"),
    ],
)
def test_values_that_cannot_be_used(field: str, value: str) -> None:
    host = person("host", creator=True)
    with pytest.raises(RoomRefused) as caught:
        actions.open_room(host, **cast(Any, {"title": "Fine", field: value}))
    assert caught.value.code == "bad_value" and list(caught.value.fields) == [field]
    assert not Room.objects.exists()


def test_two_tabs_open_one_room() -> None:
    """Both have passed the question whether one hosts already: the database has the last word."""
    host = person("host", creator=True)
    outcomes = at_once(*[lambda: actions.open_room(host, title="One of four tabs")] * 4)
    assert sorted(outcomes) == ["already_hosting"] * 3 + ["ok"]
    assert Room.objects.filter(host=host).count() == 1


def test_places_fill_from_the_lowest_and_are_given_again() -> None:
    room = open_room()
    people = [seated(f"speaker{n}", room) for n in range(3)]
    actions.leave_seat(room.pk, people[1])
    assert actions.take_seat(room.pk, consented(person("next"), room)).place == 2
    assert actions.take_seat(room.pk, people[1]).place == 4
    assert refused(actions.leave_seat, room.pk, person("stander")) == "not_on_stage"


def test_the_stage_is_full_at_its_size(settings: Any) -> None:
    settings.ROOM_MAX_SPEAKERS = 2
    room = open_room()
    seated("one", room)
    seated("two", room)
    late = consented(person("late"), room)
    assert refused(actions.take_seat, room.pk, late) == "stage_full"
    actions.leave_seat(room.pk, room.host)
    consented(room.host, room)
    assert actions.take_seat(room.pk, room.host).place == 0, "the host's own place is the host's"
    with pytest.raises(IntegrityError), transaction.atomic():
        Seat.objects.create(room=room, user=late, place=3)


def test_the_database_has_the_last_word_on_the_stage(monkeypatch: pytest.MonkeyPatch) -> None:
    """Were the count of free places wrong, the constraint would say stage_full all the same."""
    from rooms.actions import stage

    room = open_room()
    seated("one", room)
    monkeypatch.setattr(stage, "free_places", lambda room: [1])
    assert refused(actions.take_seat, room.pk, consented(person("two"), room)) == "stage_full"
    monkeypatch.setattr(stage, "free_places", lambda room: [11])
    assert log_of(room)[-1] == (3, "seat_taken"), "what was refused left nothing in the log"


def test_people_the_host_follows() -> None:
    room = open_room(speak_policy="followed")
    friend, fan = consented(person("friend"), room), consented(person("fan"), room)
    Follow.objects.create(follower=room.host, followed=friend)
    Follow.objects.create(follower=fan, followed=room.host)
    assert actions.take_seat(room.pk, friend).place == 1
    assert refused(actions.take_seat, room.pk, fan) == "not_allowed_to_speak"


def test_consent_is_kept_once_with_its_text() -> None:
    room, user = open_room(), person("guest")
    assert refused(actions.record_consent, user, room, "older text") == "bad_value"
    first = actions.record_consent(user, room, settings.CONSENT_VERSION)
    assert actions.record_consent(user, room, settings.CONSENT_VERSION).pk == first.pk
    assert Consent.objects.get(user=user).text_version == settings.CONSENT_VERSION
    assert log_of(room) == [(1, "room_opened"), (2, "seat_taken")], "nobody else is told"


def test_consent_to_an_older_text_does_not_count(settings: Any) -> None:
    room = open_room()
    user = consented(person("guest"), room)
    settings.CONSENT_VERSION = "2099-01"
    assert refused(actions.take_seat, room.pk, user) == "not_consented"


def test_microphones() -> None:
    room = open_room()
    guest = seated("guest", room)
    assert actions.set_muted(room.pk, guest, False, by=guest).muted is False
    actions.set_muted(room.pk, guest, False, by=guest)
    assert log_of(room)[-1] == (4, "seat_muted"), "what is so already is no event"
    actions.set_muted(room.pk, guest, True, by=room.host)
    assert RoomEvent.objects.get(room=room, seq=5).data == {"user": "guest", "muted": True, "held": False, "by": "host"}
    assert refused(actions.set_muted, room.pk, guest, False, by=room.host) == "not_allowed"
    assert refused(actions.set_muted, room.pk, room.host, False, by=room.host) == "not_consented"
    assert refused(actions.set_muted, room.pk, room.host, True, by=guest) == "not_host"


def test_a_cohost_helps_but_not_against_the_host() -> None:
    room = open_room()
    helper, guest = person("helper"), seated("guest", room)
    Seat.objects.create(room=room, user=helper, role=Seat.Role.COHOST, place=11)
    actions.set_muted(room.pk, guest, True, by=helper)
    actions.unseat(room.pk, guest, by=helper)
    assert refused(actions.unseat, room.pk, room.host, by=helper) == "not_allowed"
    assert refused(actions.set_muted, room.pk, room.host, True, by=helper) == "not_allowed"
    assert refused(actions.end_room, room.pk, helper) == "not_host"


def test_the_end() -> None:
    room = open_room()
    guest = seated("guest", room)
    actions.host_lost(room.pk, timezone.now())
    assert refused(actions.end_room, room.pk, guest) == "not_host"
    actions.end_room(room.pk, room.host)
    room.refresh_from_db()
    assert (room.status, room.end_reason, room.host_lost_at) == ("ended", "host", None)
    assert not Seat.objects.filter(room=room, left_at=None).exists()
    assert [kind for _seq, kind in log_of(room)][-3:] == ["seat_left", "seat_left", "room_ended"]
    assert [seq for seq, _kind in log_of(room)] == list(range(1, room.seq + 1))
    for act in (
        lambda: actions.end_room(room.pk, room.host),
        lambda: actions.take_seat(room.pk, guest),
        lambda: actions.leave_seat(room.pk, guest),
        lambda: actions.set_muted(room.pk, guest, True, by=guest),
        lambda: actions.unseat(room.pk, guest, by=room.host),
    ):
        assert refused(act) == "room_ended"


def test_staff_end_a_room_only_with_the_right_to() -> None:
    room, staff = open_room(), person("staff", is_staff=True)
    assert refused(actions.end_room, room.pk, staff, Room.EndReason.STAFF) == "not_host"
    staff.user_permissions.add(Permission.objects.get(codename="change_room"))
    staff = type(staff).objects.get(pk=staff.pk)
    assert refused(actions.end_room, room.pk, staff, Room.EndReason.STAFF) == "not_host"  # no second step
    with_fresh_step(staff)
    assert refused(actions.end_room, room.pk, staff, Room.EndReason.HOST) == "not_host"
    assert refused(actions.end_room, room.pk, staff, "because") == "bad_value"
    assert actions.end_room(room.pk, staff, Room.EndReason.STAFF).end_reason == "staff"


def test_a_race_in_which_the_room_ends() -> None:
    """In either order, nobody sits in a room that ended, and the log has no gap."""
    room = open_room()
    people = [consented(person(f"p{n}"), room) for n in range(12)]
    sit = [functools.partial(actions.take_seat, room.pk, user) for user in people]
    outcomes = at_once(*sit, functools.partial(actions.end_room, room.pk, room.host))
    assert set(outcomes) <= {"ok", "room_ended", "stage_full"}
    assert not Seat.objects.filter(room=room, left_at=None).exists()
    room.refresh_from_db()
    assert [seq for seq, _kind in log_of(room)] == list(range(1, room.seq + 1))
    assert log_of(room)[-1][1] == "room_ended"


def test_the_log_is_not_edited() -> None:
    room = open_room()
    with pytest.raises(Exception, match="Cannot update rows"), transaction.atomic():
        RoomEvent.objects.filter(room=room).update(data={"forged": True})


def test_what_is_rolled_back_is_never_published() -> None:
    room = open_room()
    user = consented(person("guest"), room)
    listener: Any = cast(Any, bus.client()).pubsub(ignore_subscribe_messages=True)
    listener.subscribe(channels.room_channel(room.pk))
    with pytest.raises(RuntimeError), transaction.atomic():
        actions.take_seat(room.pk, user)
        raise RuntimeError("the web process fails before the commit")
    actions.take_seat(room.pk, user)
    deadline = timezone.now() + timedelta(seconds=30)
    texts: list[str] = []
    while timezone.now() < deadline and len(texts) < 1:
        if message := listener.get_message(timeout=0.2):
            texts.append(message["data"])
    assert len(texts) == 1 and '"seq":3' in texts[0]
    listener.close()


def test_an_action_holds_while_redis_is_away(settings: Any, caplog: pytest.LogCaptureFixture) -> None:
    """A commit holds without its publication: hubs read missed events from the log."""
    room = open_room()
    user = consented(person("guest"), room)
    with redis_away(settings):
        assert actions.take_seat(room.pk, user).place == 1
    assert "could not publish" in caplog.text


def test_rows_can_refer_to_a_room_that_is_locked() -> None:
    """A recording that becomes ready gets its transcript while the host publishes it: a row that refers to the room
    must not wait for whoever has the room and waits for the recording."""
    room, guest = open_room(), person("guest")

    def add_one() -> None:
        try:
            with transaction.atomic(), connection.cursor() as cursor:
                cursor.execute("SET LOCAL lock_timeout = '10s'")
                Consent.objects.create(room=room, user=guest, text_version="1")
        finally:
            connection.close()

    with locked(room.pk), ThreadPoolExecutor(1) as pool:
        pool.submit(add_one).result(30)
    assert Consent.objects.filter(room=room, user=guest).exists()
