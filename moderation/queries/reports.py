"""Queries about reports."""

from __future__ import annotations

from enum import StrEnum
from uuid import UUID

from django.utils import timezone

from moderation.models import Case, Report
from people.handles import read_handle
from people.models import User
from people.queries import person
from rooms.models import Room, Seat
from social.models import Message


class Progress(StrEnum):
    """How far a report is, as its reporter reads it."""

    RECEIVED = "received"
    LOOKED_AT = "looked_at"
    DECIDED = "decided"


def report_of_receipt(receipt: UUID, reader: User | None) -> Report | None:
    """Find a report by its receipt, for whoever sent it: an account, or anybody who has the receipt's address where it
    was sent signed out."""
    rows = Report.objects.select_related("case", "room", "subject", "category")
    row = rows.filter(receipt=receipt).first()
    if row is None or row.reporter_id not in (None, reader.pk if reader else None):
        return None
    return row


def progress_of(row: Report) -> Progress:
    """Return how far a report is, and nothing of who works on it or what they found."""
    case = row.case
    if case.state == Case.State.DECIDED:
        return Progress.DECIDED
    if case.state == Case.State.PROPOSED or case.holder(timezone.now()) is not None or case.looks.exists():
        return Progress.LOOKED_AT
    return Progress.RECEIVED


def seen_message(reader: User, thread: int, pk: int) -> Message | None:
    """Find a message of a thread that this person sees."""
    rows = Message.objects.seen_by(reader.pk).select_related("sender", "thread")
    message = rows.filter(pk=pk).first()
    return message if message is not None and message.thread_id == thread else None


def subject_named(room: Room, handle: str) -> User | None:
    """Find the account that a report names. One that is closed is found only if it was on the room's stage: an answer
    must not tell it from one that never was."""
    name = read_handle(handle)
    if name is None:
        return None
    if user := person(name):
        return user
    closed = User.objects.by_handle(name)
    return closed if closed is not None and Seat.objects.filter(room=room, user=closed).exists() else None
