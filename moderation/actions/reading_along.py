"""Reading along in live rooms, in the ledger as listening in is: an entry for a reader and a room in ten minutes."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from django.db import transaction

from ledger.actions import Act, record_all
from ledger.models import Entry
from people.models import User
from rooms.actions.staff_listening import NOTED_EVERY
from rooms.models import Room

KIND = "staff_reading"


def note_reading(by: User, rooms: Collection[Room], now: datetime) -> None:
    """Record that a member of staff reads along in these rooms, but for those where that was recorded within
    NOTED_EVERY; call it before their words are shown. As many queries for many rooms as for one."""
    if not _unnoted(by, rooms, now):
        return
    with transaction.atomic():
        User.objects.select_for_update(no_key=True).get(pk=by.pk)  # two pages of one reader make one entry
        new = _unnoted(by, rooms, now)
        record_all([Act(KIND, _about(room), by.pk, {"room_ms": room.room_time(now)}) for room in new], at=now)


def _unnoted(by: User, rooms: Collection[Room], now: datetime) -> list[Room]:
    about = [_about(room) for room in rooms]
    noted = Entry.objects.filter(subject__in=about, kind=KIND, actor=by.pk, at__gt=now - NOTED_EVERY)
    known = set(noted.values_list("subject", flat=True))
    return [room for room in rooms if _about(room) not in known]


def _about(room: Room) -> str:
    return f"room:{room.pk}"
