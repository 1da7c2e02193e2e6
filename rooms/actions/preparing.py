"""Prepared rooms: made for a time to come, changed, cancelled, and opened by their host.

A room that its host has not opened NOT_HELD_AFTER its start is cancelled by the sweep. Whoever locks the room first is
right: an open room is not cancelled any more, and a cancelled one is not opened.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from functools import partial
from typing import Any

from django.db import IntegrityError, transaction
from django.utils import timezone

from core.batches import run_each
from people.models import User
from people.standing import lock_standing, standing_of, why_not_host
from rooms.actions.invitation_rows import expire_invitations
from rooms.actions.locking import locked
from rooms.actions.opening import begin, hosts_now, one_live_room, validated
from rooms.actions.takedowns import keep_removed_texts
from rooms.models import Room
from rooms.rules import permissions
from rooms.rules.facts import facts_of
from rooms.rules.refusals import TABLE, RoomRefused, refuse
from rooms.rules.starts import MOST_PREPARED, NOT_HELD_AFTER, BadStart, start_of


def prepare_room(
    host: User,
    *,
    title: str,
    wall: str,
    zone: str,
    topic: str = "",
    language: str = "en",
    speak_policy: str = Room.SpeakPolicy.EVERYONE,
    entry_policy: str = Room.EntryPolicy.ANYONE,
    transcription: bool = True,
) -> Room:
    """Prepare a room that begins at the wall time `wall` ("YYYY-MM-DDTHH:MM") in the IANA zone `zone`.

    Raises not_a_creator, no_hosting, too_many_prepared, starts_together, starts_too_soon, starts_too_late,
    no_such_time, bad_value.
    """
    values = {**validated(title, topic, language, speak_policy, entry_policy), "transcription": transcription}
    start = _start(wall, zone)
    with _starts_apart(), transaction.atomic():
        lock_standing(host.pk)  # two at once: the second counts the first
        waiting = Room.objects.filter(host=host, status=Room.Status.SCHEDULED).count()
        refuse(why_not_host(standing_of(host)) or permissions.may_prepare(full=waiting >= MOST_PREPARED))
        return Room.objects.create(host=host, status=Room.Status.SCHEDULED, **values, **start)


def change_prepared(
    room_id: int,
    by: User,
    *,
    title: str,
    topic: str,
    language: str,
    speak_policy: str,
    entry_policy: str,
    transcription: bool,
    wall: str,
    zone: str,
) -> Room:
    """Change a prepared room, as its host. A start that stays the same is not checked again: the title may be put
    right a minute before.

    Raises what `prepare_room` raises, but for too_many_prepared; not_host, open_already, room_cancelled, room_ended,
    title_taken_down.
    """
    values = {**validated(title, topic, language, speak_policy, entry_policy), "transcription": transcription}
    with _starts_apart(), locked(room_id) as room:
        lock_standing(by.pk)
        refuse(permissions.may_change_prepared(facts_of(room, by)) or why_not_host(standing_of(by)))
        if room.title_removed:
            values |= keep_removed_texts(room, str(values["title"]), str(values["topic"]))
        start = {} if (wall, zone) == (room.starts_wall, room.starts_zone) else _start(wall, zone)
        for name, value in (values | start).items():
            setattr(room, name, value)
        room.save(update_fields=[*values, *start])
    return room


def open_prepared(room_id: int, by: User) -> Room:
    """Open a prepared room now, as its host, at whatever time before it is cancelled; invitations stay.

    Raises not_host, open_already, room_cancelled, room_ended, not_a_creator, no_hosting, already_hosting.
    """
    with one_live_room(), locked(room_id) as room:
        lock_standing(by.pk)
        refuse(
            permissions.may_change_prepared(facts_of(room, by))
            or why_not_host(standing_of(by))
            or permissions.may_open(hosts_already=hosts_now(by))
        )
        begin(room)
    return room


def cancel_room(room_id: int, by: User, reason: str = Room.CancelReason.HOST) -> Room:
    """Cancel a prepared room, as its host, or as staff with reason `staff`.

    Raises not_host, open_already, room_cancelled, room_ended, unknown_room.
    """
    with locked(room_id) as room:
        staff = reason == Room.CancelReason.STAFF and by.has_perm("rooms.change_room")
        refuse(permissions.may_cancel(facts_of(room, by), as_staff=staff))
        _cancel(room, Room.CancelReason.STAFF if staff else Room.CancelReason.HOST)
    return room


def cancel_for(host_pk: int, reason: str) -> None:
    """Cancel every room that an account has prepared. Idempotent; a failure in one room is logged."""
    rooms = Room.objects.filter(host=host_pk, status=Room.Status.SCHEDULED).values_list("pk", flat=True)
    run_each(list(rooms), partial(_cancel_prepared, reason=reason), "cancelling a room of an account")


def cancel_unheld(now: datetime) -> int:
    """Cancel prepared rooms that were not opened NOT_HELD_AFTER their start; returns how many. One query where there
    are none."""
    late = Room.objects.filter(status=Room.Status.SCHEDULED, starts_at__lte=now - NOT_HELD_AFTER)
    cancel = partial(_cancel_prepared, reason=Room.CancelReason.NOT_HELD, before=now - NOT_HELD_AFTER)
    return run_each(list(late.values_list("pk", flat=True)), cancel, "cancelling a room that was not held")


def _cancel_prepared(room_pk: int, reason: str, before: datetime | None = None) -> None:
    """Cancel a room, if it is still prepared, and still for a time not after `before`."""
    with locked(room_pk) as room:
        due = before is None or (room.starts_at is not None and room.starts_at <= before)
        if room.is_prepared and due:
            _cancel(room, reason)


def _cancel(room: Room, reason: str) -> None:
    """Cancel a locked room; invitations that wait for an answer expire with it."""
    room.status, room.cancelled_at, room.cancel_reason = Room.Status.CANCELLED, timezone.now(), reason
    room.save(update_fields=["status", "cancelled_at", "cancel_reason"])
    expire_invitations(room)


def _start(wall: str, zone: str) -> dict[str, Any]:
    """Columns of a room's start. Raises RoomRefused with the field that is wrong, and why."""
    try:
        start = start_of(wall, zone, timezone.now())
    except BadStart as error:
        raise RoomRefused(error.code, {error.field: str(TABLE[error.code].text)}) from error
    return {"starts_at": start.at, "starts_zone": start.zone, "starts_wall": start.wall}


@contextmanager
def _starts_apart() -> Iterator[None]:
    """Raise starts_together where the database finds two starts of a host less than 60 minutes apart."""
    try:
        yield
    except IntegrityError as error:
        if "room_starts_apart" in str(error):
            code = "starts_together"
            raise RoomRefused(code, {"wall": str(TABLE[code].text)}) from error
        raise
