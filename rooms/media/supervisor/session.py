"""Janus' session: claimed from an earlier supervisor with all that is in it, or made anew."""

from __future__ import annotations

import asyncio
import logging
from typing import Any

from django.conf import settings

from rooms.media.janus import bridge, mountpoint
from rooms.media.janus.client import Janus, JanusGone
from rooms.media.supervisor import events, fairness, handles
from rooms.media.supervisor.context import Context
from rooms.media.supervisor.studio import Studio

log = logging.getLogger(__name__)


class Session:
    """Keeper of the session, as long as the supervisor lives: connects, claims or starts over."""

    def __init__(self, context: Context) -> None:
        self.context = context
        self._disconnect_logged = False

    async def connect(self) -> bool:
        """Connect and claim the old session with all that is in it (True), or start over with a new one (False)."""
        context = self.context
        await context.janus.close()
        context.janus = Janus(
            settings.JANUS_WS_URL, settings.JANUS_API_SECRET, lambda event: events.handle_event(context, event)
        )
        claimed = await context.janus.open(context.state.session)
        if claimed:
            await self._take_over()
        else:
            await self._start_over()
        context.check_room = await bridge.create(context.janus, "check", settings.JANUS_ADMIN_KEY, None)
        context.connected, self._disconnect_logged = True, False
        return claimed

    def log_disconnected(self, error: JanusGone) -> None:
        """Log the loss of Janus once; it is tried again several times a second."""
        if not self._disconnect_logged:
            log.warning("Janus is away: %s", error)
        self._disconnect_logged = True

    async def _take_over(self) -> None:
        context = self.context
        log.info("claimed session %s with %s rooms", context.state.session, len(context.state.rooms))
        for pk, built in list(context.state.rooms.items()):
            if pk not in context.studios:
                await self._restore(pk, built)
        for handle in context.state.of("check"):
            await handles.release(context, handle)
        fairness.trust_all(context)

    async def _restore(self, pk: int, built: dict[str, Any]) -> None:
        """Take over a room that an earlier supervisor built; one whose state is not readable is built anew."""
        context, disk = self.context, self.context.room_disk(pk)
        try:
            context.studios[pk] = Studio.restore(
                pk, built, context.ports, recording=context.may_record(disk), disk=disk
            )
        except (KeyError, TypeError, ValueError) as error:
            log.error("room %s is built anew, what was kept of it is not readable: %s", pk, error)
            context.rebuilt.add(pk)
            await context.state.drop_room(pk)

    async def _start_over(self) -> None:
        """Drop all that was built, its ffmpegs too, for the packets' numbers start anew."""
        context = self.context
        context.rebuilt |= context.studios.keys() | context.state.rooms.keys()
        studios, context.studios = list(context.studios.values()), {}
        await asyncio.gather(*(studio.drop_children() for studio in studios), return_exceptions=True)
        await bridge.sweep(context.janus, settings.JANUS_ADMIN_KEY)
        await mountpoint.sweep(context.janus, settings.JANUS_ADMIN_KEY)
        await context.state.start_over(context.janus.session)
        log.info("new session %s; %s rooms to build again", context.janus.session, len(context.rebuilt))
