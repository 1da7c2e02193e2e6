"""Whether a recording is closed by moderators, and for whom."""

from __future__ import annotations

from django.db.models import QuerySet

from rooms.models import Restriction, Room


def standing_restrictions() -> QuerySet[Restriction]:
    """Select restrictions that are not lifted."""
    return Restriction.objects.filter(lifted_at=None)


def is_restricted(room: Room) -> bool:
    """Whether a restriction of the room's recording stands; one query."""
    return standing_restrictions().filter(room=room).exists()


def is_closed_for_child_safety(room: Room) -> bool:
    """Whether the recording is closed, and a report of child abuse was ever a reason: then nothing of it leaves the
    site, not even a speaker's own lines. It is over with the last restriction."""
    closed_once = Restriction.objects.filter(room=room, reason=Restriction.Reason.CHILD_SAFETY)
    return is_restricted(room) and closed_once.exists()
