"""Actions of the host's side on others' microphones: mute all, hold off until lifted, ask to open."""

from __future__ import annotations

from people.models import User
from rooms.actions.locking import locked
from rooms.actions.microphone import save_microphone, switch_microphone
from rooms.models import Room, Seat
from rooms.rules import limits, permissions
from rooms.rules.facts import facts_of, open_seat
from rooms.rules.refusals import RoomRefused, refuse
from rooms.wire.sides import tell


def mute_all(room_id: int, by: User) -> int:
    """Close every open microphone but the host's and one's own, as a co-host also but the other co-host's; returns how
    many were closed. Everybody may open theirs again. Raises not_host, room_ended."""
    with locked(room_id) as room:
        facts = facts_of(room, by)
        refuse(permissions.may_manage(facts))
        seats = Seat.objects.select_related("user").filter(room=room, left_at=None, muted=False).exclude(user=by)
        others = [
            seat for seat in seats.order_by("place") if permissions.may_act_on(facts, target_role=seat.role) is None
        ]
        for seat in others:
            switch_microphone(room, seat, True, by)
    return len(others)


def hold_mute(room_id: int, user: User, by: User) -> Seat:
    """Close a microphone and keep it off until `lift_mute`, also on the person's later seats in this room.

    Raises not_host, not_on_stage, not_allowed (the host's, or among co-hosts), room_ended.
    """
    with locked(room_id) as room:
        seat = _others_seat(room, user, by)
        if not seat.mute_held:
            seat.mute_held = True
            switch_microphone(room, seat, True, by)
    return seat


def lift_mute(room_id: int, user: User, by: User) -> Seat:
    """Let a person open the microphone again that was held off; it stays closed until they do. Raises as hold_mute."""
    with locked(room_id) as room:
        seat = _others_seat(room, user, by)
        if seat.mute_held:
            seat.mute_held = False
            save_microphone(room, seat, by)
    return seat


def ask_unmute(room_id: int, user: User, by: User) -> None:
    """Ask a person, and nobody else, to open the microphone; nothing is asked of an open one.

    Raises as hold_mute, not_allowed while the microphone is held off (that is lifted first), and too_fast.
    """
    with locked(room_id) as room:
        seat = _others_seat(room, user, by)
        refuse("not_allowed" if seat.mute_held else None)
        if seat.muted:
            limits.ASKING.check(f"{room_id}:{user.pk}")
            tell(user.pk, {"type": "unmute_asked", "room": room.slug, "by": by.handle})


def _others_seat(room: Room, user: User, by: User) -> Seat:
    """The open seat of a person on whom the host's side may act."""
    seat = open_seat(room, user)
    refuse(permissions.may_act_on_speaker(facts_of(room, by), target_role=None if seat is None else seat.role))
    if seat is None:
        raise RoomRefused("not_on_stage")
    return seat
