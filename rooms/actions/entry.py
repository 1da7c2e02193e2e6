"""The entry policy: set while the room is live, applied at once to everybody in it."""

from __future__ import annotations

from people.models import User
from rooms.actions.epoch import new_epoch
from rooms.actions.hands import lower_forbidden_hands
from rooms.actions.locking import locked, media_changed
from rooms.actions.standing import standing_changed
from rooms.models import Room, StayingFollower
from rooms.rules import permissions
from rooms.rules.facts import facts_of
from rooms.rules.refusals import RoomRefused, refuse
from rooms.wire.events import append_event


def set_entry_policy(room_id: int, by: User, policy: str, *, as_staff: bool = False) -> Room:
    """Change the entry policy. People whom the new policy does not admit are removed and their hands lowered; host,
    co-hosts and people on stage stay. Setting the same policy again changes nothing, but after a hand-over it puts out
    followers of the former host who were here then (`StayingFollower`).

    `as_staff` requires the permission `rooms.change_room` instead of the host's right. Raises bad_value, not_host,
    room_ended, unknown_room.
    """
    if policy not in Room.EntryPolicy.values:
        raise RoomRefused("bad_value", {"policy": ", ".join(Room.EntryPolicy.values)})
    with locked(room_id) as room:
        staff = as_staff and by.has_perm("rooms.change_room")
        refuse(permissions.may_set_entry_policy(facts_of(room, by), as_staff=staff))
        staying = StayingFollower.objects.filter(hand_over__room=room)
        if room.entry_policy != policy or staying.exists():
            staying.delete()
            room.entry_policy = policy
            room.save(update_fields=["entry_policy"])
            new_epoch(room)
            append_event(room, "entry_policy_set", {"policy": policy})
            lower_forbidden_hands(room)
            media_changed(room)
            standing_changed(room, f"entry policy {policy}")
    return room
