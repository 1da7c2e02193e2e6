"""Sound of those who may not be here any more ends: signed out, closed, suspended, or no longer admitted by the host.

Asked in every round of the supervisor, which a change of rights starts at once: a web process that is hung or dead
keeps nobody's sound alive.
"""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING

from django.db import DatabaseError

from core.threads import in_thread
from rooms.media.supervisor.state import Handle
from rooms.rules.admission import Guest, refused

if TYPE_CHECKING:
    from rooms.media.supervisor.loop import Supervisor

log = logging.getLogger(__name__)


async def put_out(sup: Supervisor) -> None:
    """Let go of every microphone, listener and check whose right is gone. Without the database all go on."""
    guests = {handle.id: Guest(handle.room, handle.who, handle.conn) for handle in sup.kept.handles.values()}
    if not guests:
        return
    try:
        codes = await in_thread(refused, set(guests.values()))
    except DatabaseError as error:
        log.warning("rights are not known: %s", type(error).__name__)
        return
    ending = [sup.kept.handles.get(pk) for pk, guest in guests.items() if guest in codes]
    await asyncio.gather(*(_end(sup, handle) for handle in ending if handle is not None))


async def _end(sup: Supervisor, handle: Handle) -> None:
    log.info("room %s: %s of %s ends, it has no right any more", handle.room, handle.kind, handle.who)
    studio = sup.studios.get(handle.room)
    if handle.kind == "speak" and studio is not None:
        async with studio.lock:
            await sup.remove_seat(studio, handle.seat)
    else:
        await sup.let_go(handle)
