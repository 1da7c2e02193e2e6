"""Opening a room and ending it. A prepared room (`rooms.actions.preparing`) becomes live by `begin` too."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime

from django.conf import settings
from django.db import IntegrityError, transaction
from django.utils import timezone

from people.actions.typed import clean_texts
from people.models import User
from people.standing import lock_standing, standing_of, why_not_host
from rooms.actions.epoch import new_epoch
from rooms.actions.hand_queue import close_queue
from rooms.actions.invitation_rows import expire_invitations
from rooms.actions.locking import locked, media_changed
from rooms.models import TITLE, TOPIC, Recording, Room, Seat
from rooms.rules import permissions
from rooms.rules.facts import facts_of
from rooms.rules.refusals import RoomRefused, refuse
from rooms.wire.events import append_event, iso, seat_state


def open_room(
    host: User,
    *,
    title: str,
    topic: str = "",
    language: str = "en",
    speak_policy: str = Room.SpeakPolicy.EVERYONE,
    entry_policy: str = Room.EntryPolicy.ANYONE,
    transcription: bool = True,
    ends_by: datetime | None = None,
    is_demo: bool = False,
) -> Room:
    """Open a room now; its host sits at place 0 with the microphone off.

    The room ends at `ends_by`, if given (the demo). Raises not_a_creator, no_hosting, already_hosting, bad_value.
    """
    values = validated(title, topic, language, speak_policy, entry_policy)
    with one_live_room(), transaction.atomic():
        lock_standing(host.pk)
        refuse(why_not_host(standing_of(host)) or permissions.may_open(hosts_already=hosts_now(host)))
        room = Room(host=host, transcription=transcription, ends_by=ends_by, is_demo=is_demo, **values)
        begin(room)
    return room


@contextmanager
def one_live_room() -> Iterator[None]:
    """Raise already_hosting where two tabs open a room at once: the database keeps one live room a host."""
    try:
        yield
    except IntegrityError as error:
        if "room_one_live_a_host" in str(error):
            raise RoomRefused("already_hosting") from error
        raise


def begin(room: Room) -> None:
    """Make a new or locked room live, in the caller's transaction: recording, first event, the host's seat."""
    room.status, room.started_at = Room.Status.LIVE, timezone.now()
    room.max_speakers = settings.ROOM_MAX_SPEAKERS
    room.save()
    Recording.objects.create(room=room, opened_policy=room.entry_policy)
    append_event(room, "room_opened", {})
    seat = Seat.objects.create(room=room, user=room.host, role=Seat.Role.HOST, place=0)
    append_event(room, "seat_taken", {"seat": seat_state(seat, connected=True)})
    media_changed(room)


def validated(title: str, topic: str, language: str, speak_policy: str, entry_policy: str) -> dict[str, str]:
    """Normalize the values of a new room. Raises bad_value with a field for each wrong one."""
    texts, wrong = clean_texts({"title": (TITLE, title, True), "topic": (TOPIC, topic, False)})
    if language not in dict(settings.LANGUAGES):
        wrong["language"] = ", ".join(dict(settings.LANGUAGES))
    if speak_policy not in Room.SpeakPolicy.values:
        wrong["speak_policy"] = ", ".join(Room.SpeakPolicy.values)
    if entry_policy not in Room.EntryPolicy.values:
        wrong["entry_policy"] = ", ".join(Room.EntryPolicy.values)
    if wrong:
        raise RoomRefused("bad_value", wrong)
    return {**texts, "language": language, "speak_policy": str(speak_policy), "entry_policy": str(entry_policy)}


def hosts_now(user: User) -> bool:
    """Whether this person hosts a live room."""
    return Room.objects.filter(host=user, status=Room.Status.LIVE).exists()


def end_room(room_id: int, by: User | None, reason: str = Room.EndReason.HOST) -> Room:
    """End a room for everybody: close its seats, publish the event, notify the media supervisor.

    `by` is the host, staff (with reason `staff`), or None for the periodic sweep (host_gone, stage_empty, time_up).
    Raises not_host, room_ended, unknown_room.
    """
    if reason not in Room.EndReason.values:
        raise RoomRefused("bad_value", {"reason": ", ".join(Room.EndReason.values)})
    with locked(room_id) as room:
        if by is None:
            refuse(permissions.live(room.status))
        else:
            staff = reason == Room.EndReason.STAFF and by.has_perm("rooms.change_room")
            refuse(permissions.may_end(facts_of(room, by), as_staff=staff))
        _close(room, reason)
    return room


def _close(room: Room, reason: str) -> None:
    """Lower all hands, close all seats, then the room, in the caller's transaction."""
    close_queue(room)
    expire_invitations(room)
    now = timezone.now()
    for seat in Seat.objects.select_related("user").filter(room=room, left_at=None).order_by("place"):
        seat.left_at, seat.left_reason = now, Seat.LeftReason.ROOM_ENDED
        seat.save(update_fields=["left_at", "left_reason"])
        append_event(room, "seat_left", {"user": seat.user.handle, "reason": seat.left_reason})
    room.status, room.end_reason = Room.Status.ENDED, reason
    room.ended_at = max(now, room.started_at or now)
    room.host_lost_at = room.stage_empty_at = room.recording_paused_at = None
    room.hands_over = False
    cleared = ["host_lost_at", "hands_over", "stage_empty_at", "recording_paused_at"]
    room.save(update_fields=["status", "end_reason", "ended_at", *cleared])
    new_epoch(room)
    append_event(room, "room_ended", {"reason": reason, "ended_at": iso(room.ended_at)})
    media_changed(room)
