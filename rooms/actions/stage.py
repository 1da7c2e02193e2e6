"""The stage: sitting down, standing up, being taken off it, microphones on and off."""

from __future__ import annotations

from django.db import IntegrityError, transaction
from django.utils import timezone

from people.models import User
from people.standing import hold
from rooms.actions.locking import locked, media_changed
from rooms.actions.microphone import switch
from rooms.models import Room, Seat
from rooms.rules import permissions
from rooms.rules.facts import facts_of, open_seat
from rooms.rules.refusals import RoomRefused, refuse
from rooms.wire.events import append_event, seat_state, tell

# What the database calls the guards of the stage (rooms/models.py): its word is the last one.
GUARDS = ("seat_one_a_place", "seat_within_stage", "stage_full")


def take_seat(room_id: int, user: User) -> Seat:
    """Sit down at the lowest free place, microphone off; who sits already keeps the seat.

    Raises room_ended, what keeps this person out or off the stage, not_allowed_to_speak, not_consented, stage_full.
    """
    with locked(room_id) as room:
        hold(user.pk)
        facts = facts_of(room, user)
        refuse(permissions.live(facts.status) or permissions.may_speak(facts))
        if seat := open_seat(room, user):
            return seat
        free = _free_places(room)
        refuse(permissions.may_take_seat(facts, free_places=len(free)))
        seat = _sit(room, user, facts.role, 0 if facts.role == "host" else free[0])
        append_event(room, "seat_taken", {"seat": seat_state(seat, connected=True)})
        media_changed(room)
    return seat


def _sit(room: Room, user: User, role: str, place: int) -> Seat:
    """The row, with what the database refuses turned into our word for it."""
    try:
        with transaction.atomic():
            return Seat.objects.create(
                room=room, user=user, place=place, role=Seat.Role.HOST if role == "host" else Seat.Role.SPEAKER
            )
    except IntegrityError as error:
        if any(guard in str(error) for guard in GUARDS):
            raise RoomRefused("stage_full") from error
        raise


def _free_places(room: Room) -> list[int]:
    taken = set(Seat.objects.filter(room=room, left_at=None).values_list("place", flat=True))
    return [place for place in range(1, room.max_speakers + 1) if place not in taken]


def leave_seat(room_id: int, user: User, reason: str = Seat.LeftReason.LEFT) -> None:
    """Stand up; the person stays and listens. Raises not_on_stage, room_ended."""
    with locked(room_id) as room:
        refuse(permissions.live(room.status))
        seat = open_seat(room, user)
        if seat is None:
            raise RoomRefused("not_on_stage")
        _stand_up(room, seat, reason)


def unseat(room_id: int, user: User, by: User) -> None:
    """A helper takes somebody off the stage. Raises not_host, not_on_stage, not_allowed (the host), room_ended."""
    with locked(room_id) as room:
        seat = open_seat(room, user)
        target_role = None if seat is None else seat.role
        refuse(permissions.may_unseat(facts_of(room, by), target_role=target_role))
        if seat is None:
            raise RoomRefused("not_on_stage")
        _stand_up(room, seat, Seat.LeftReason.UNSEATED)
        tell(user.pk, {"type": "you_unseated", "room": room.slug, "by": by.handle})


def _stand_up(room: Room, seat: Seat, reason: str) -> None:
    seat.left_at, seat.left_reason = timezone.now(), reason
    seat.save(update_fields=["left_at", "left_reason"])
    append_event(room, "seat_left", {"user": seat.user.handle, "reason": reason})
    media_changed(room)


def set_muted(room_id: int, user: User, muted: bool, by: User, page: str | None = None) -> Seat:
    """Close or open a microphone. Helpers close others'; only its owner opens one, after consent.

    A page (`page`) opens none that another page of its owner holds. Nothing happens, and nothing is told, when it is
    so already. Raises not_host, not_on_stage, not_allowed, not_consented, mic_elsewhere, room_ended.
    """
    by_self = by.pk == user.pk
    with locked(room_id) as room:
        seat = open_seat(room, user)
        facts = facts_of(room, by)
        if muted:
            refuse(permissions.may_mute(facts, by_self=by_self, target_role=None if seat is None else seat.role))
        else:
            refuse(permissions.may_unmute(facts, by_self=by_self))
        if seat is None:
            raise RoomRefused("not_on_stage")
        if not muted and page is not None and seat.mic_page not in ("", page):
            raise RoomRefused("mic_elsewhere")
        if seat.muted != muted:
            switch(room, seat, muted, None if by_self else by)
    return seat
