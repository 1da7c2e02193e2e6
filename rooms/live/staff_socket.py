"""The WebSocket of the console's pages: messages to staff (`rooms.wire.sides.STAFF`), and nothing else.

It opens for a session that used a second step lately, of an account with STAFF_CHANNEL_PERMISSION, and closes when
either ends. Close codes as in `rooms.live.person_socket`.
"""

from __future__ import annotations

from typing import Any

from people.models import User
from rooms.live.person_socket import PersonSocket, serve, sign_in
from rooms.live.socket import Receive, Send
from rooms.rules.identity import Who
from rooms.rules.refusals import RoomRefused
from rooms.rules.staff import may_hear_staff_channel
from rooms.wire.events import encode

RESYNC = "resync"  # type of the message that says: read again what the page shows, something may have been missed


async def staff_socket(scope: dict[str, Any], receive: Receive, send: Send) -> None:
    """The ASGI application for `/ws/staff/`."""
    await serve(scope, receive, send, sign_in_staff, StaffSocket)


def sign_in_staff(cookies: dict[str, str]) -> tuple[Who, User]:
    """Identify a member of staff. Raises no_staff_access and the codes of `sign_in`."""
    who, user = sign_in(cookies)
    if not may_hear_staff_channel([who.session]):
        raise RoomRefused("no_staff_access")
    return who, user


class StaffSocket(PersonSocket):
    """One open socket of a page of the console."""

    as_staff = True

    async def _join(self) -> None:
        await self.hub.join_as_staff(self.user_pk, self.send_queue)

    async def _begin(self) -> None:
        """Have the page read its numbers again: messages may have been published while it heard nothing."""
        self.send_queue.snapshot(encode({"type": RESYNC}), -1)
