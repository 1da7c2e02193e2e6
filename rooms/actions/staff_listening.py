"""Staff who listen in to a live room: in no count, face or message of it, but in the ledger."""

from __future__ import annotations

from datetime import timedelta

from django.db import transaction
from django.utils import timezone

from ledger.actions import record
from ledger.models import Entry
from people.models import User
from rooms.models import Room
from rooms.rules.staff import check_staff_listening

KIND = "staff_listening"
NOTED_EVERY = timedelta(minutes=10)  # one entry for a room and a person in this time


def admit_staff(room: Room, user: User, session: str) -> None:
    """Admit a session (by ident) to a room as staff, and record it. Raises the codes of `check_staff_listening`."""
    check_staff_listening(room, user, session)
    note_staff_listening(room, user.pk)


def note_staff_listening(room: Room, user_pk: int) -> None:
    """Record that a member of staff listens in, unless that was recorded within NOTED_EVERY."""
    subject, now = f"room:{room.pk}", timezone.now()
    noted = Entry.objects.filter(subject=subject, kind=KIND, actor=user_pk, at__gt=now - NOTED_EVERY)
    with transaction.atomic():
        if not noted.exists():
            record(KIND, subject, user_pk, {"room_ms": room.room_time(now)}, at=now)
