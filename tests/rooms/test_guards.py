"""Constraints and triggers of the database, whatever the code above it does."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import pytest
from django.conf import settings
from django.db import DatabaseError, connection, transaction
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from rooms import actions
from rooms.models import Consent, Room, RoomEvent, Seat
from tests.support.people import person
from tests.support.rooms import consented, open_room, seated

pytestmark = pytest.mark.django_db
STARTS = {"starts_at": timezone.now(), "starts_zone": "UTC", "starts_wall": "2026-12-24T20:00"}


@contextmanager
def guard(name: str) -> Iterator[None]:
    with pytest.raises(DatabaseError) as broken, transaction.atomic():
        yield
    assert name in str(broken.value)


def test_the_database_guards_the_stage() -> None:
    room, anna, bert = open_room(), person("anna"), person("bert")
    Seat.objects.create(room=room, user=anna, place=1)
    with guard("seat_one_a_person"):
        Seat.objects.create(room=room, user=anna, place=2)
    with guard("seat_one_a_place"):
        Seat.objects.create(room=room, user=bert, place=1)
    for role, place in (("speaker", 0), ("speaker", 11), ("host", 1), ("cohost", 3), ("cohost", 13)):
        with guard("seat_place_of_role" if (role, place) != ("speaker", 11) else "stage_full"):
            Seat.objects.create(room=room, user=bert, place=place, role=role)
    Room.objects.filter(pk=room.pk).update(max_speakers=3)
    with guard("stage_full"):
        Seat.objects.create(room=room, user=bert, place=4)
    seat = Seat.objects.create(room=room, user=bert, place=3)
    with guard("stage_full"):
        Seat.objects.filter(pk=seat.pk).update(place=4)


def test_the_database_guards_rooms() -> None:
    room = open_room()
    now = timezone.now()
    with guard("room_one_live_a_host"):
        Room.objects.create(host=room.host, title="Second", started_at=now)
    other = person("other")
    wrongs: tuple[dict[str, Any], ...] = (
        {"status": "live", "started_at": None},
        {"status": "live", "started_at": now, "ended_at": now},
        {"status": "ended", "started_at": now},
        {"status": "ended", "started_at": now, "ended_at": now - timedelta(seconds=1)},
        {"status": "live", "started_at": now, "cancelled_at": now, "cancel_reason": "host"},
        {"status": "scheduled"},
        {"status": "scheduled", "starts_at": now, "starts_zone": "UTC"},
        {"status": "scheduled", "starts_at": now, "starts_wall": "2026-12-24T20:00"},
        {"status": "scheduled", **STARTS, "started_at": now},
        {"status": "scheduled", **STARTS, "cancelled_at": now, "cancel_reason": "host"},
        {"status": "cancelled", **STARTS, "cancelled_at": now},
        {"status": "cancelled", **STARTS, "cancel_reason": "staff"},
        {"status": "cancelled", "cancelled_at": now, "cancel_reason": "staff"},
    )
    for wrong in wrongs:
        with guard("room_status_and_times"):
            Room.objects.create(host=other, title="Wrong", **wrong)
    for many in (0, 11):
        with guard("room_max_speakers"):
            Room.objects.filter(pk=room.pk).update(max_speakers=many)
    with guard("room_has_title"):
        Room.objects.filter(pk=room.pk).update(title="")
    assert Room.objects.get(pk=room.pk).title
    with guard("room_purged_after_end"):
        Room.objects.filter(pk=room.pk).update(purged_at=now)


def test_the_database_guards_log_and_consent() -> None:
    room = open_room()
    with guard("event_seq_once"):
        RoomEvent.objects.create(room=room, seq=1, type="room_ended", at_ms=0)
    with guard("Cannot update rows"):
        RoomEvent.objects.filter(room=room, seq=1).update(type="room_ended")
    consented(room.host, room)
    with guard("consent_once"):
        Consent.objects.create(room=room, user=room.host, text_version=settings.CONSENT_VERSION)


def test_taking_a_seat_costs_the_same_in_a_full_room() -> None:
    room = open_room()

    def cost(name: str) -> int:
        user = consented(person(name), room)
        with CaptureQueriesContext(connection) as seen:
            actions.take_seat(room.pk, user)
        return len(seen)

    first = cost("first")
    for n in range(8):
        seated(f"speaker{n}", room)
    assert cost("tenth") == first
