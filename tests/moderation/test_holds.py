"""Legal holds: set and lifted by seniors who were no part of the room, while there is something to hold."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import Group
from django.db import IntegrityError, transaction
from django.utils import timezone

from ledger.hooks import line_checks
from ledger.models import Entry
from ledger.queries import entry_lines, visible_entries
from moderation.actions.holds import lift_legal_hold, set_legal_hold, standing_holds
from moderation.models import LegalHold
from moderation.refusals import ModerationRefused
from people.groups import AUDITORS, MODERATORS, SENIORS
from people.models import User
from retention.clocks import clock_of
from rooms.models import Room
from tests.support.people import person
from tests.support.rooms import ended_room, open_room, seated
from tests.support.staff import with_fresh_step

pytestmark = pytest.mark.django_db


def staff(group: str = SENIORS, handle: str = "") -> User:
    user = with_fresh_step(person(handle, is_staff=True))
    user.groups.add(Group.objects.get(name=group))
    return user


def order(room: Room, by: User, **changes: Any) -> LegalHold:
    values = {"reference": "OM 2026/17", "reason": "a court asked", "expires_at": timezone.now() + timedelta(days=200)}
    return set_legal_hold(room, by, **{**values, **changes})


def code_of(act: Any, *args: Any, **options: Any) -> str:
    before = Entry.objects.count()
    with pytest.raises(ModerationRefused) as caught:
        act(*args, **options)
    assert Entry.objects.count() == before
    return caught.value.code


def test_a_hold_is_set_and_lifted_once_and_both_are_in_the_ledger() -> None:
    senior, room = staff(), ended_room()
    hold = order(room, senior)
    assert list(standing_holds(timezone.now())) == [hold]
    assert code_of(order, room, senior) == "hold_exists"
    other = order(room, senior, reference="OM 2026/18")
    assert code_of(lift_legal_hold, hold, senior, " ") == "bad_value"
    lift_legal_hold(hold, senior, "withdrawn")
    hold.refresh_from_db()
    assert (hold.lifted_by, hold.lift_reason) == (senior, "withdrawn")
    assert code_of(lift_legal_hold, hold, senior, "again") == "hold_ended"
    assert list(standing_holds(timezone.now())) == [other]
    rows = Entry.objects.filter(kind__startswith="legal_hold").order_by("seq")
    assert [(row.kind, row.subject, row.actor, row.data["hold"]) for row in rows] == [
        ("legal_hold_set", f"room:{room.pk}", senior.pk, hold.pk),
        ("legal_hold_set", f"room:{room.pk}", senior.pk, other.pk),
        ("legal_hold_lifted", f"room:{room.pk}", senior.pk, hold.pk),
    ]
    assert set(rows[0].commitments) == {"reference", "reason"}
    assert [fault for check in line_checks.values() for fault in check()] == []
    assert order(room, senior).pk, "a lifted order may be given again"


def test_a_hold_keeps_the_copy_until_its_day_and_lifting_it_lets_it_go() -> None:
    senior, room = staff(), ended_room()
    hold = order(room, senior)
    held = clock_of(room)
    assert held is not None and (held.reason, held.purge_at) == ("legal", hold.expires_at)
    lift_legal_hold(hold, senior, "withdrawn")
    after = clock_of(room)
    assert after is not None and (after.reason, after.held_by) == ("review", ())


def test_a_live_room_is_held_too_and_a_deleted_one_is_not() -> None:
    senior = staff()
    assert order(open_room("anna"), senior).pk
    room = ended_room("bert")
    Room.objects.filter(pk=room.pk).update(
        started_at=timezone.now() - timedelta(days=32), ended_at=timezone.now() - timedelta(days=31)
    )
    assert code_of(order, room, senior) == "copy_gone", "due, though the sweep has not been there yet"
    assert not LegalHold.objects.filter(room=room).exists()


@pytest.mark.parametrize(
    "changes", [{"reference": " "}, {"reason": ""}, {"reference": "x" * 201}, {"expires_at": timezone.now()}]
)
def test_reference_reason_and_a_day_to_come_are_needed(changes: dict[str, Any]) -> None:
    assert code_of(order, ended_room(), staff(), **changes) == "bad_value"


@pytest.mark.parametrize("group", [MODERATORS, AUDITORS])
def test_others_neither_set_nor_lift(group: str) -> None:
    room, other = ended_room(), staff(group)
    hold = order(room, staff())
    assert code_of(order, room, other, reference="x") == "not_allowed"
    assert code_of(lift_legal_hold, hold, other, "x") == "not_allowed"


def test_seniors_who_were_on_the_stage_do_neither() -> None:
    room = open_room()
    senior = seated("sits", room)
    senior.groups.add(Group.objects.get(name=SENIORS))
    with_fresh_step(senior)
    hold = order(room, staff())
    assert code_of(order, room, senior, reference="x") == "party_of_room"
    assert code_of(lift_legal_hold, hold, senior, "x") == "party_of_room"


def test_the_database_refuses_a_hold_without_reason_or_end() -> None:
    senior, room, now = staff(), ended_room(), timezone.now()
    for values in ({"reason": "", "expires_at": now + timedelta(1)}, {"reason": "x", "expires_at": now}):
        with pytest.raises(IntegrityError), transaction.atomic():
            LegalHold.objects.create(room=room, reference="r", set_by=senior, set_at=now, **values)


def test_who_was_in_the_room_does_not_read_of_it_in_the_ledger() -> None:
    room = open_room("anna")
    sat, auditor = seated("sat", room), person("auditor")
    order(room, staff())
    entries = Entry.objects.filter(kind="legal_hold_set")
    for reader in (sat, room.host):
        assert not visible_entries(reader.pk, entries).exists()
    assert [line.text for line in entry_lines(visible_entries(auditor.pk, entries))] == [
        "Held by order of an authority"
    ]
