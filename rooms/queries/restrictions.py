"""Restrictions of recordings, and how often a recording was downloaded, for those who decide about it."""

from __future__ import annotations

from ledger.models import Entry
from rooms.models import Restriction, Room
from rooms.rules.restrictions import is_restricted as is_restricted
from rooms.rules.restrictions import standing_restrictions

DOWNLOADS = ("host_download", "host_links")


def restrictions_of(room: Room) -> list[Restriction]:
    """The restrictions of a room's recording that stand, oldest first."""
    return list(standing_restrictions().filter(room=room).order_by("since", "pk"))


def times_downloaded(room: Room) -> int:
    """How often addresses to download a room's recording were handed out: each could have been used."""
    return Entry.objects.filter(subject=f"room:{room.pk}", kind__in=DOWNLOADS).count()
