"""The speak policy: set while the room is live."""

from __future__ import annotations

from people.models import User
from rooms.actions.locking import locked
from rooms.models import Room, Seat
from rooms.rules import permissions
from rooms.rules.facts import facts_of, facts_of_many
from rooms.rules.refusals import RoomRefused, refuse
from rooms.wire.events import append_event


def set_speak_policy(room_id: int, by: User, policy: str) -> list[str]:
    """Change the speak policy. It takes nobody off the stage: returns the handles of the speakers there whom the policy
    would not admit, by place. Setting the same policy again changes nothing.

    Raises bad_value, not_host, room_ended.
    """
    if policy not in Room.SpeakPolicy.values:
        raise RoomRefused("bad_value", {"policy": ", ".join(Room.SpeakPolicy.values)})
    with locked(room_id) as room:
        refuse(permissions.may_manage(facts_of(room, by)))
        if room.speak_policy != policy:
            room.speak_policy = policy
            room.save(update_fields=["speak_policy"])
            append_event(room, "speak_policy_set", {"policy": policy})
        return [user.handle for user in not_admitted(room)]


def not_admitted(room: Room) -> list[User]:
    """Speakers on stage whom the room's speak policy would not admit, by place."""
    speakers = Seat.objects.filter(room=room, left_at=None, role=Seat.Role.SPEAKER).select_related("user")
    seats = list(speakers.order_by("place"))
    facts = facts_of_many([(room, seat.user_id) for seat in seats])
    return [
        seat.user for seat in seats if room.speak_policy not in permissions.speak_under(facts[room.pk, seat.user_id])
    ]
