"""Rooms that never ran: their rows go 30 days after they were cancelled or should have begun, and leave a receipt."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from django.conf import settings
from django.core.management import CommandError, call_command
from django.utils import timezone

from ledger.models import Entry
from ledger.verify import verify
from retention import purge, receipts
from retention.models import PurgeReceipt
from retention.policy import Hold, Reason
from rooms import actions
from rooms.models import Arrival, Invitation, PersonalLink, Room, ShareLink
from rooms.rules.starts import NOT_HELD_AFTER
from tests.retention.conftest import Facts
from tests.retention.test_purge import outside_lines
from tests.support.killed import running
from tests.support.people import person
from tests.support.rooms import begins, prepared_room
from tests.support.traces import everywhere

pytestmark = pytest.mark.django_db(transaction=True)

WORD = "quixotryzebra"
DAYS = timedelta(days=settings.RECORDING_DAYS)
MOMENT = timedelta(microseconds=1)


def marked(number: int = 0) -> Room:
    """A prepared room with a word in everything that is kept of it."""
    room = prepared_room(f"host{number}", title=f"Title of {number}", topic=f"about {WORD}")
    guest, other = person(f"guest{number}"), person(f"other{number}")
    Invitation.objects.create(room=room, user=guest, by=room.host, by_helper=True, kind="speak")
    Invitation.objects.create(room=room, user=other, by=guest, kind="listen")
    PersonalLink.objects.create(room=room, by=room.host, label=WORD, hash=f"{number}" * 64)
    share = ShareLink.objects.create(room=room, by=guest)
    Arrival.objects.create(link=share, mac=WORD)
    return room


def cancelled(number: int = 0) -> Room:
    room = marked(number)
    actions.cancel_room(room.pk, room.host)
    room.refresh_from_db()
    return room


def over(room: Room) -> datetime:
    assert room.over_at is not None
    moment: datetime = room.over_at
    return moment


def is_gone(room: Room) -> bool:
    room.refresh_from_db()
    receipt = PurgeReceipt.objects.get(room=room.pk)
    return (
        room.purged_at is not None
        and receipt.finished_at is not None
        and receipt.digest == receipts.digest(receipt)
        and Entry.objects.filter(subject=f"room:{room.pk}", kind="purged").count() == 1
        and not Invitation.objects.filter(room=room).exists()
    )


def test_rows_go_thirty_days_after_it_was_cancelled() -> None:
    room, kept = cancelled(), marked(1)
    assert over(room) == room.cancelled_at
    due = over(room) + DAYS
    assert {"rooms_room.topic", "rooms_personallink.label", "rooms_arrival.mac"} <= everywhere(WORD)
    assert purge.sweep(due - MOMENT).purged == [] and not PurgeReceipt.objects.exists()
    assert purge.purge([kept.pk], due + timedelta(days=4000)) == [], "one that waits for its start is none of them"
    assert purge.sweep(due).purged == [room.pk]
    assert is_gone(room)
    receipt = PurgeReceipt.objects.get()
    assert (receipt.rule, receipt.ended_at, receipt.due_at) == ("never-ran-30-days", over(room), due)
    gone = {"invitations": 2, "personal links": 1, "share links": 1, "arrivals": 1}
    assert (receipt.rows, receipt.files, receipt.file_count) == (gone, [], 0)
    assert [line["room"] for line in outside_lines()] == [room.pk]
    assert (room.topic, room.title, room.status) == ("", "Title of 0", "cancelled")
    assert Invitation.objects.filter(room=kept).count() == 2
    assert purge.sweep(due).purged == [] and purge.tidy(due) == [] and verify().problems == []


def test_one_that_was_not_held_counts_from_when_it_should_have_begun() -> None:
    room = marked()
    began = timezone.now() - DAYS - timedelta(hours=2)
    begins(room, began)
    assert purge.sweep(began + DAYS).purged == [], "it may still be opened"
    actions.sweep_rooms(began + NOT_HELD_AFTER)
    room.refresh_from_db()
    assert (room.cancel_reason, over(room)) == ("not_held", began)
    assert purge.sweep(began + DAYS - MOMENT).purged == []
    assert purge.sweep(began + DAYS).purged == [room.pk] and is_gone(room)


def test_those_that_are_late_count_as_overdue() -> None:
    """Also one that nobody cancelled: the sweep of rooms stood still."""
    began = timezone.now() - DAYS - timedelta(minutes=20)
    waiting, gone = marked(), marked(1)
    call_command("retention", "check")
    begins(waiting, began)
    actions.cancel_room(gone.pk, gone.host)
    Room.objects.filter(pk=gone.pk).update(cancelled_at=began)
    assert [item.room_pk for item in purge.overdue(timezone.now())] == [waiting.pk, gone.pk]
    with pytest.raises(CommandError, match="2 overdue"):
        call_command("retention", "check")
    actions.sweep_rooms()
    assert sorted(purge.sweep().purged) == [waiting.pk, gone.pk]
    call_command("retention", "check")


def test_a_legal_order_holds_its_rows(facts: Facts) -> None:
    room = cancelled()
    until = over(room) + DAYS + timedelta(days=10)
    facts[room.pk] = [Hold(Reason.LEGAL, "order:1", over(room), until)]
    assert purge.sweep(until - MOMENT).purged == []
    assert purge.sweep(until).purged == [room.pk]


def test_killed_in_between_the_next_sweep_ends_it() -> None:
    steps = (("retention.purge:begin", "after", 1), ("retention.artefacts:delete_rows", "after", 8))
    with running("tests.retention.purger") as purgers:
        for number, step in enumerate(steps):
            room = cancelled(number)
            due = over(room) + DAYS
            ((status, wrong),) = purgers.run(((due.isoformat(),), step))
            assert status == -9, f"it was to be killed at {step}: {wrong[-2000:]}"
            assert Invitation.objects.filter(room=room).count() == 2
            purge.sweep(due)
            assert is_gone(room)
    assert len({line["room"] for line in outside_lines()}) == 2
