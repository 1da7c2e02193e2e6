"""Queries about reports."""

from __future__ import annotations

from uuid import UUID

from moderation.models import MessageReport, Report
from people.handles import read_handle
from people.models import User
from people.queries import person
from rooms.models import Room, Seat
from social.models import Message


def own_report(reporter: User, slug: str, receipt: UUID) -> Report | None:
    """Find a person's own report in a room by the number of its receipt."""
    rows = Report.objects.select_related("room").filter(reporter=reporter, room__slug=slug, receipt=receipt)
    return rows.first()


def own_message_report(reporter: User, receipt: UUID) -> MessageReport | None:
    """Find a person's own report of a message by the number of its receipt."""
    rows = MessageReport.objects.select_related("subject").filter(reporter=reporter, receipt=receipt)
    return rows.first()


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
