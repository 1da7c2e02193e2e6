"""Restrict a room's recording, and lift that. `moderation` calls these; it checks who may.

What is being sent stops at its next check (`rooms.recording.delivery.downloads`); links that were handed out are
refused while a restriction stands. Own-data downloads with something of the room are made again.
"""

from __future__ import annotations

from django.utils import timezone

from core.after_commit import after_commit
from ledger.actions import record
from people.models import User
from people.own_data.actions import make_without
from rooms.actions.locking import locked
from rooms.models import Restriction, Room
from rooms.rules.refusals import RoomRefused


def restrict(room: Room, reason: str, by: User | None, once: str = "") -> Restriction:
    """Close the recording of a room, or the later recording of a live one. `by` is None for an act of no person.

    With `once`, the name of a decision, the restriction that was imposed under it is returned instead, also one that
    was lifted since. Raises bad_value, unknown_room.
    """
    if reason not in Restriction.Reason.values:
        raise RoomRefused("bad_value", {"reason": ", ".join(Restriction.Reason.values)})
    with locked(room.pk) as row:
        if once and (before := Restriction.objects.filter(room=row, once=once).first()):
            return before
        made = Restriction.objects.create(room=row, reason=reason, by=by, once=once)
        make_without([row.pk])
        after_commit(make_without, [row.pk])  # one that was being made may have read before this was committed
        values = {"restriction": made.pk, "reason": reason}
        record("recording_restricted", f"room:{row.pk}", None if by is None else by.pk, values)
    return made


def lift_restriction(restriction: Restriction, by: User | None) -> bool:
    """Lift a restriction; others that stand keep the recording closed. Returns whether it stood."""
    with locked(restriction.room_id) as room:
        row = Restriction.objects.select_for_update(of=("self",)).get(pk=restriction.pk)
        if row.lifted_at is not None:
            return False
        row.lifted_at, row.lifted_by = timezone.now(), by
        row.save(update_fields=["lifted_at", "lifted_by"])
        values = {"restriction": row.pk, "reason": row.reason}
        record("restriction_lifted", f"room:{room.pk}", None if by is None else by.pk, values)
    return True
