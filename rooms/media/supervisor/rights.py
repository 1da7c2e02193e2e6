"""End of sound for people without a right to it: signed out, closed, suspended, or no longer admitted by the host.

Checked in every round of the supervisor, which a change of rights starts at once: a web process that is hung or dead
keeps nobody's sound alive.
"""

from __future__ import annotations

import asyncio
import logging

from django.db import DatabaseError

from core.threads import in_thread
from rooms.media.supervisor import handles
from rooms.media.supervisor.context import Context
from rooms.media.supervisor.state import Handle
from rooms.rules.admission import Guest, refused

log = logging.getLogger(__name__)


async def enforce(context: Context) -> None:
    """Release every microphone, listener and check whose right is gone. Without the database all go on."""
    guests = {handle.id: Guest(handle.room, handle.who, handle.conn) for handle in context.state.handles.values()}
    if not guests:
        return
    try:
        codes = await in_thread(refused, set(guests.values()))
    except DatabaseError as error:
        log.warning("rights are not known: %s", type(error).__name__)
        return
    ending = [context.state.handles.get(pk) for pk, guest in guests.items() if guest in codes]
    await asyncio.gather(*(_end(context, handle) for handle in ending if handle is not None))


async def _end(context: Context, handle: Handle) -> None:
    log.info("room %s: %s of %s ends, it has no right any more", handle.room, handle.kind, handle.who)
    studio = context.studios.get(handle.room)
    if handle.kind == "speak" and studio is not None:
        async with studio.lock:
            await handles.remove_seat(context, studio, handle.seat)
    else:
        await handles.release(context, handle)
