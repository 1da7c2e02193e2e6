"""Whether a recording is closed by moderators."""

from __future__ import annotations

from django.db.models import QuerySet

from rooms.models import Restriction, Room


def standing_restrictions() -> QuerySet[Restriction]:
    """Select restrictions that are not lifted."""
    return Restriction.objects.filter(lifted_at=None)


def is_restricted(room: Room) -> bool:
    """Whether a restriction of the room's recording stands; one query."""
    return standing_restrictions().filter(room=room).exists()
