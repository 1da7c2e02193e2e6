"""Counts of reactions in a room, as the clock writes them."""

from __future__ import annotations

from django.db.models import Sum

from core import bus
from rooms import actions
from rooms.models import ReactionCount, Room


def kept(room: Room) -> dict[tuple[int, str], int]:
    """Counts in PostgreSQL by second and kind."""
    rows = ReactionCount.objects.filter(room=room)
    return {(row.second, row.kind): row.count for row in rows}


def total(room: Room) -> int:
    return ReactionCount.objects.filter(room=room).aggregate(all=Sum("count"))["all"] or 0


def written(room: Room) -> dict[tuple[int, str], int]:
    """`kept`, once the clock has come by."""
    pace_over(room)
    actions.keep_reactions()
    return kept(room)


def pace_over(room: Room) -> None:
    """As if the last tick were a second ago."""
    bus.client().delete(bus.key(f"reactions:{room.pk}:pace"))
