"""A speaker without a browser. Like the room's page it reconnects after a loss and leaves when the room ends.

Sound and WebSocket are independent: it keeps talking while the WebSocket is away, and stays muted if it was muted
meanwhile.
"""

from __future__ import annotations

import asyncio
import logging
import time
from typing import Any

from aiortc import RTCPeerConnection
from django.conf import settings
from websockets.exceptions import WebSocketException

from rooms.guests import peers
from rooms.guests.visitor import Browser, SiteRefused, Visitor, new_page, speak

log = logging.getLogger(__name__)

_AGAIN = 1.0  # seconds between tries
_FINAL = frozenset({"room_ended", "unknown_room", "not_signed_in", "not_allowed_to_speak", "not_allowed"})


class Talker:
    """Plays a clip into a room as one of its speakers."""

    def __init__(self, browser: Browser, slug: str, clip: peers.Clip) -> None:
        self.browser = browser
        self.slug = slug
        self.clip = clip
        self.ears = peers.Ears()
        self.over = False
        self.page = new_page()
        self._me: str | None = None
        self._opened = False  # the microphone was opened on this seat; who closes it since then decides
        self._peer: RTCPeerConnection | None = None
        self._changed = asyncio.Event()
        self._renew = False

    async def run(self, until: float | None = None, *, once: bool = False) -> None:
        """Talk until the room ends, until `until` (monotonic time) or, with `once`, to the end of the clip.

        Raises SiteRefused when this person may not speak in the room.
        """
        try:
            while not self._finished(until, once):
                try:
                    async with Visitor(self.browser, self.slug, self._hear, self.page) as visitor:
                        await self._sit(visitor)
                        await self._stay(visitor, until, once)
                except SiteRefused as refused:
                    if refused.code in _FINAL and not self.over:
                        raise
                    log.info("%s: %s", self.slug, refused.code)
                except (OSError, TimeoutError, WebSocketException) as error:
                    log.info("%s: %s, trying again", self.slug, error or type(error).__name__)
                if not self._finished(until, once):
                    await asyncio.sleep(_AGAIN)
        finally:
            await self._hang_up()

    async def _sit(self, visitor: Visitor) -> None:
        """Take a seat and open its microphone, or keep an open seat as it is: a host may have muted it."""
        await visitor.ask("consent", version=settings.CONSENT_VERSION)
        await visitor.ask("take_seat")
        if self._peer is None or self._renew:
            await self._connect(visitor)
        if not self._opened:
            await visitor.ask("unmute")
            self._opened = True

    async def _connect(self, visitor: Visitor) -> None:
        await self._hang_up()
        self._renew = False
        # A new track for each connection: aiortc stops the track of a closed one.
        self.clip = self.clip.again()
        self._peer = await speak(visitor, self.clip, self.ears)

    async def _stay(self, visitor: Visitor, until: float | None, once: bool) -> None:
        """Renew the WebRTC connection when it or the media server was lost; leave the seat at the end."""
        while not visitor.closed.is_set() and not self._finished(until, once):
            if self._renew or (self._peer and self._peer.connectionState in ("failed", "closed")):
                await self._connect(visitor)
            self._changed.clear()
            waits = [asyncio.ensure_future(event.wait()) for event in (self._changed, visitor.closed)]
            await asyncio.wait(waits, timeout=0.2, return_when="FIRST_COMPLETED")
            for wait in waits:
                wait.cancel()
        if not self.over and not visitor.closed.is_set():
            await visitor.ask("leave_seat")

    def _hear(self, message: dict[str, Any]) -> None:
        kind = message.get("type")
        if kind == "media_restarted" or (kind == "mic_lost" and message["page"] == self.page):
            self._renew = True
        elif kind == "snapshot":
            self._apply_snapshot(message)
        elif kind == "room_ended":
            self.over = True
        self._changed.set()

    def _apply_snapshot(self, snapshot: dict[str, Any]) -> None:
        """Note from a snapshot whether the room is over and whether the seat is still there."""
        self.over = self.over or snapshot["room"]["status"] == "ended"
        self._me = snapshot["you"]["user"]
        if all(seat["user"] != self._me for seat in snapshot["seats"]):
            self._opened, self._renew = False, True

    def _finished(self, until: float | None, once: bool) -> bool:
        return (
            self.over
            or (until is not None and time.monotonic() >= until)
            or (once and until is None and self.clip.finished.is_set())
        )

    async def _hang_up(self) -> None:
        if self._peer is not None:
            await self._peer.close()
            self._peer = None
