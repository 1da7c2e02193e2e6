"""Loss and return of the host's connection. After its grace period a room without its host goes to a co-host, or ends.

Which of the two, and when, is published with the loss and again whenever it changes (`host_lost`). Co-hosts keep their
seat for ROOM_SPEAKER_GRACE_SECONDS without a connection, and so long the room does not end.
"""

from __future__ import annotations

from datetime import datetime

from rooms.actions.locking import locked
from rooms.models import Room
from rooms.rules.facts import grace_ends, hand_over_due
from rooms.rules.heirs import heirs_of
from rooms.wire.events import append_event, iso


def host_lost(room_id: int, at: datetime) -> bool:
    """Record that the host is away since `at`. Returns whether that changed anything."""
    with locked(room_id) as room:
        if not room.is_live or room.host_lost_at is not None:
            return False
        room.host_lost_at = at
        _save_absence(room, hands_over=bool(heirs_of(room)))
    return True


def host_back(room_id: int) -> bool:
    """Record that the host is connected again. Returns whether that changed anything."""
    with locked(room_id) as room:
        if not room.is_live or room.host_lost_at is None:
            return False
        forget_absence(room)
        append_event(room, "host_back", {})
    return True


def review_absence(room_id: int) -> None:
    """`cohosts_changed` for a room that is not locked yet."""
    with locked(room_id) as room:
        cohosts_changed(room)


def cohosts_changed(room: Room) -> None:
    """Publish anew what happens to a locked room whose host is away, if a change of co-hosts changed that."""
    if room.is_live and room.host_lost_at is not None:
        hands_over = bool(heirs_of(room))
        if hands_over != room.hands_over:
            _save_absence(room, hands_over=hands_over)


def forget_absence(room: Room) -> None:
    """Save, in a locked room, that its host is here; the caller publishes it."""
    room.host_lost_at, room.hands_over = None, False
    room.save(update_fields=["host_lost_at", "hands_over"])


def _save_absence(room: Room, *, hands_over: bool) -> None:
    room.hands_over = hands_over
    room.save(update_fields=["host_lost_at", "hands_over"])
    ends_at, hands_over_at = iso(grace_ends(room)), iso(hand_over_due(room))
    append_event(
        room, "host_lost", {"lost_at": iso(room.host_lost_at), "ends_at": ends_at, "hands_over_at": hands_over_at}
    )
