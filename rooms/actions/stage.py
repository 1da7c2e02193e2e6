"""Actions on the stage: take and leave a seat, unseat, mute and unmute."""

from __future__ import annotations

from people.models import User
from people.standing import lock_standing
from rooms.actions.locking import locked
from rooms.actions.microphone import switch_microphone
from rooms.actions.seating import free_places, sit, stand_up
from rooms.models import Seat
from rooms.rules import permissions
from rooms.rules.facts import facts_of, open_seat
from rooms.rules.refusals import RoomRefused, refuse
from rooms.wire.sides import tell


def take_seat(room_id: int, user: User) -> Seat:
    """Seat a person at the lowest free place, microphone off. A person who is seated already keeps the seat.

    Raises room_ended, the refusal codes of the account, not_allowed_to_speak, not_consented, stage_full.
    """
    with locked(room_id) as room:
        lock_standing(user.pk)
        facts = facts_of(room, user)
        refuse(permissions.live(facts.status) or permissions.may_speak(facts))
        if seat := open_seat(room, user):
            return seat
        free = free_places(room)
        refuse(permissions.may_take_seat(facts, free_places=len(free)))
        if facts.role == "host":
            return sit(room, user, Seat.Role.HOST, 0)
        return sit(room, user, Seat.Role.SPEAKER, free[0])


def leave_seat(room_id: int, user: User, reason: str = Seat.LeftReason.LEFT) -> None:
    """Close the seat of a person, who stays as a listener. Raises not_on_stage, room_ended."""
    with locked(room_id) as room:
        refuse(permissions.live(room.status))
        seat = open_seat(room, user)
        if seat is None:
            raise RoomRefused("not_on_stage")
        stand_up(room, seat, reason)


def unseat(room_id: int, user: User, by: User) -> None:
    """Take a person off the stage. Raises not_host, not_on_stage, not_allowed (it is the host), room_ended."""
    with locked(room_id) as room:
        seat = open_seat(room, user)
        target_role = None if seat is None else seat.role
        refuse(permissions.may_act_on_speaker(facts_of(room, by), target_role=target_role))
        if seat is None:
            raise RoomRefused("not_on_stage")
        stand_up(room, seat, Seat.LeftReason.UNSEATED)
        tell(user.pk, {"type": "you_unseated", "room": room.slug, "by": by.handle})


def set_muted(room_id: int, user: User, muted: bool, by: User, page: str | None = None) -> Seat:
    """Close or open a microphone. Host and co-hosts may close others'; only its owner may open one, after consent.

    A page (`page`) cannot open a microphone that another page of its owner holds. Changes and publishes nothing when
    the state is the same already. Raises not_host, not_on_stage, not_allowed, not_consented, mic_elsewhere, room_ended.
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
            switch_microphone(room, seat, muted, None if by_self else by)
    return seat
