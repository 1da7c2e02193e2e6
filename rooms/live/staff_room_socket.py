"""The socket of a member of staff who listens in to a room: they see and hear it, and are nobody in it."""

from __future__ import annotations

import asyncio
import logging
from typing import Any

from redis.exceptions import RedisError

from core.threads import in_thread
from people.standing import Standing
from rooms import actions
from rooms.actions.staff_listening import NOTED_EVERY
from rooms.live.admitting import Entry, admit_as_staff
from rooms.live.feed import Shared
from rooms.live.frames import Frame
from rooms.live.socket import Receive, RoomSocket
from rooms.live.verbs.table import VERBS
from rooms.media import ask as media
from rooms.models import Room
from rooms.rules.refusals import RoomRefused
from rooms.rules.staff import with_staff_rights
from rooms.staff_presence import note_present
from rooms.wire.snapshot import Base, You, you_as_staff

log = logging.getLogger(__name__)


class StaffRoomSocket(RoomSocket):
    """One open socket of staff. It never touches presence, so that no count or list has its person, and takes only
    verbs `for_staff`. A ping says that its page is in use (`rooms.staff_presence`)."""

    async def run(self, receive: Receive) -> None:
        """Serve the socket, which has entered, until it closes."""
        self._task(self._keep_noting(), "note-staff")
        await super().run(receive)

    async def _admit(self, shared: Shared, standing: Standing) -> Entry:
        return await in_thread(admit_as_staff, shared.base.row, self.who)

    async def _enter_presence(self) -> bool:
        return False

    async def _host_came(self, row: Room) -> None:
        """Leave the room as it is: a host who listens in as staff is not back on stage."""

    async def _keep_noting(self) -> None:
        """Record again and again that this person listens in; close the socket where that cannot be recorded."""
        while True:
            await asyncio.sleep(NOTED_EVERY.total_seconds())
            try:
                await in_thread(self._note)
            except Exception:
                log.exception("listening in to room %s could not be recorded", self.room_pk)
                self._close_with(4503)

    def _note(self) -> None:
        if self.who.user is not None:
            actions.note_staff_listening(Room.objects.get(pk=self.room_pk), self.who.user.pk)

    async def _leave(self) -> None:
        await self.hub.quit(self.send_queue)
        if not self.used_sound:
            return
        try:
            await media.ask("gone", self.room_pk, self.who.key, self.conn)
        except (RedisError, OSError, media.MediaRefused) as error:
            # The supervisor drops handles whose WebRTC connection ended.
            log.warning("could not say that a socket of staff closed: %s", error)

    async def _you(self, shared: Base) -> You:
        return await in_thread(lambda: you_as_staff(shared.row, with_staff_rights(self.who)))

    async def _do(self, frame: Frame) -> dict[str, Any]:
        if not VERBS[frame.verb].for_staff:
            raise RoomRefused("staff_listens")
        answer = await super()._do(frame)
        if frame.verb == "ping":
            try:
                await note_present(self.hub.redis, (self.room_pk, self.who.session))
            except (RedisError, OSError) as error:
                log.warning("it is not noted that somebody listens in: %s", error)
        return answer
