"""Tickets to listen: addresses of the live list of a room that is open to anyone.

The checked list (`views.live_playlist`) is asked for by each listener anew. A ticket is in the path, is the same for
all listeners for some seconds and opens the list for LIVES seconds, so that any cache can serve it. It holds as long
as the room has its epoch: a tightened entry policy and the end of the room end it, a removal does not. Somebody who was
removed may therefore hear on for LIVES seconds, as they could signed out in a room that is open to anyone.
"""

from __future__ import annotations

import re
import time
from uuid import UUID

from django.utils.crypto import constant_time_compare, salted_hmac

from rooms.models import Room

LIVES = 60  # seconds
NEW_EVERY = 15  # seconds; between them all listeners of a room have the same address
_PATH = re.compile(r"/hls/([1-9][0-9]{0,17})-([0-9a-f]{32})/([0-9a-f]{8})-([0-9a-f]{32})/live\.m3u8")


def ticket_to(room_pk: int, epoch: UUID, entry_policy: str, now: float | None = None) -> str | None:
    """Return the address of a room's list as it is handed out now; None for a room that is not open to anyone."""
    if entry_policy != Room.EntryPolicy.ANYONE:
        return None
    moment = time.time() if now is None else now
    until = int(moment // NEW_EVERY) * NEW_EVERY + LIVES
    return f"/hls/{room_pk}-{epoch.hex}/{until:08x}-{_mark(room_pk, epoch, until)}/live.m3u8"


def read_ticket(path: str, now: float | None = None) -> tuple[int, UUID] | None:
    """Return room and epoch of a ticket that is ours and not over; None for any other path. Reads no database."""
    found = _PATH.fullmatch(path)
    if found is None:
        return None
    room_pk, epoch, until = int(found[1]), UUID(found[2]), int(found[3], 16)
    if not constant_time_compare(found[4], _mark(room_pk, epoch, until)):
        return None
    return (room_pk, epoch) if (time.time() if now is None else now) < until else None


def _mark(room_pk: int, epoch: UUID, until: int) -> str:
    return salted_hmac("rooms.recording.list", f"{room_pk}:{epoch.hex}:{until}", algorithm="sha256").hexdigest()[:32]
