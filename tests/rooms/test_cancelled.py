"""Prepared rooms that are cancelled: by the clock, by staff, and with their host's account."""

from __future__ import annotations

from datetime import timedelta
from functools import partial
from typing import Any

import pytest
from django.contrib.auth.models import Permission
from django.db import transaction
from django.utils import timezone

from people.actions import standing
from people.models import Sanction, User
from rooms import actions
from rooms.actions.locking import locked
from rooms.models import Invitation, Room, Seat
from rooms.rules.identity import Who
from rooms.rules.starts import NOT_HELD_AFTER
from tests.support.people import person
from tests.support.races import at_once, said
from tests.support.rooms import begins, prepared_room
from tests.support.staff import with_fresh_step

SECOND = timedelta(seconds=1)


@pytest.mark.django_db
def test_the_clock_cancels_what_was_not_opened_an_hour_after_its_start() -> None:
    room, other = prepared_room(), prepared_room("other")
    now = timezone.now()
    begins(room, now - NOT_HELD_AFTER)
    begins(other, now - NOT_HELD_AFTER + SECOND)
    waiting = Invitation.objects.create(room=room, user=person("guest"), by=room.host, by_helper=True, kind="speak")
    for _again in range(2):
        actions.sweep_rooms(now)
        room.refresh_from_db()
        other.refresh_from_db()
        assert (room.status, room.cancel_reason, other.status) == ("cancelled", "not_held", "scheduled")
    assert room.over_at == room.starts_at != room.cancelled_at
    waiting.refresh_from_db()
    assert waiting.state == "expired"
    actions.sweep_rooms(now + SECOND)
    other.refresh_from_db()
    assert other.cancel_reason == "not_held"


@pytest.mark.django_db
def test_a_room_that_was_moved_while_the_clock_looked_is_left(monkeypatch: pytest.MonkeyPatch) -> None:
    room = prepared_room()
    now = timezone.now()
    begins(room, now - NOT_HELD_AFTER)

    def moved_meanwhile(pk: int) -> Any:
        Room.objects.filter(pk=pk).update(starts_at=now + timedelta(days=1))
        return locked(pk)

    monkeypatch.setattr("rooms.actions.preparing.locked", moved_meanwhile)
    actions.sweep_rooms(now)
    room.refresh_from_db()
    assert room.is_prepared


@pytest.mark.django_db(transaction=True)
def test_opened_while_the_clock_cancels_it_is_one_of_the_two() -> None:
    for number in range(3):
        room = prepared_room(f"host{number}")
        begins(room, timezone.now() - NOT_HELD_AFTER)
        host = room.host
        answers = sorted(at_once(partial(actions.open_prepared, room.pk, host), actions.sweep_rooms))
        room.refresh_from_db()
        assert (answers, room.status) in ((["ok", "ok"], "live"), (["ok", "room_cancelled"], "cancelled"))
        assert Seat.objects.filter(room=room).count() == (room.status == "live")


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(("lost", "kind"), [(False, "suspended"), (True, "suspended"), (False, "no_hosting")])
def test_rooms_of_a_suspended_host_are_cancelled(lost: bool, kind: str) -> None:
    """By the message after the commit or, where that was lost, by the next sweep."""
    rooms = [prepared_room(), prepared_room(ahead=timedelta(days=2))]
    other = prepared_room("other")
    if lost:
        Sanction.objects.create(user=rooms[0].host, kind=kind, why="shouting")
        actions.sweep_rooms()
    else:
        standing.impose_sanction(rooms[0].host, kind, None, "shouting")
    reasons = set(Room.objects.exclude(pk=other.pk).values_list("status", "cancel_reason"))
    assert reasons == ({("cancelled", "staff")} if kind == "suspended" else {("scheduled", "")})
    other.refresh_from_db()
    assert other.is_prepared


@pytest.mark.django_db(transaction=True)
def test_rooms_of_a_closed_account_are_cancelled_in_its_own_name() -> None:
    room = prepared_room()
    standing.close_account(room.host, None, "asked for it")
    room.refresh_from_db()
    assert (room.status, room.cancel_reason) == ("cancelled", "host")


@pytest.mark.django_db
def test_staff_cancel_by_their_permission_alone() -> None:
    room, staff = prepared_room(), person("staff", is_staff=True)
    assert said(actions.cancel_room, room.pk, staff, "staff") == "not_host"
    staff.user_permissions.add(Permission.objects.get(codename="change_room"))
    staff = with_fresh_step(User.objects.get(pk=staff.pk))
    assert said(actions.cancel_room, room.pk, staff) == "not_host", "as staff, or not at all"
    actions.cancel_room(room.pk, staff, "staff")
    room.refresh_from_db()
    assert room.cancel_reason == "staff"
    assert said(actions.cancel_room, room.pk, room.host) == "room_cancelled"
    with pytest.raises(Exception, match="Cannot update"), transaction.atomic():
        Room.objects.filter(pk=room.pk).update(status="scheduled", cancelled_at=None, cancel_reason="")
    assert said(actions.admit, room, Who(None, "")) == "ok", "its page says that it is cancelled"
