"""A listener by WebRTC that is no browser and does as a good page does: listens again when the sound was lost, and
listens on while only the line to the room is away."""

from __future__ import annotations

import asyncio
import logging
import time
from typing import Any

from aiortc import RTCPeerConnection
from websockets.exceptions import WebSocketException

from rooms.guests import peers
from rooms.guests.visitor import Browser, Refused, Visitor, listen

log = logging.getLogger(__name__)

_SILENT = 3.0  # seconds without a packet after which the sound counts as lost
_AGAIN = 0.5


class NearListener:
    """`ears` keep what was heard; `sent_away` tells that the site said to use HLS."""

    def __init__(self, browser: Browser, slug: str) -> None:
        self.browser = browser
        self.slug = slug
        self.ears = peers.Ears()
        self.sent_away = False
        self.over = False
        self.talking: dict[str, bool] = {}
        self._peer: RTCPeerConnection | None = None
        self._renew = False
        self._since = 0.0

    async def run(self) -> None:
        """Until the room is over, the site says HLS, or the task is cancelled."""
        try:
            while not (self.over or self.sent_away):
                try:
                    async with Visitor(self.browser, self.slug, self._hear) as visitor:
                        await self._stay(visitor)
                except (OSError, TimeoutError, WebSocketException, Refused) as error:
                    log.info("%s: %s, trying again", self.slug, error or type(error).__name__)
                await asyncio.sleep(_AGAIN)
        finally:
            await self._hang_up()

    async def _stay(self, visitor: Visitor) -> None:
        while not (self.over or self.sent_away or visitor.closed.is_set()):
            if self._peer is None or self._renew or self._lost():
                await self._connect(visitor)
            await asyncio.sleep(0.1)

    async def _connect(self, visitor: Visitor) -> None:
        await self._hang_up()
        self._renew = False
        try:
            self._peer = await listen(visitor, self.ears)
        except Refused as refused:
            if refused.code != "media_unavailable":
                raise
            await asyncio.sleep(_AGAIN)
            return
        self._since = time.time()
        self.sent_away = self._peer is None

    def _lost(self) -> bool:
        last = self.ears.arrived[-1] if self.ears.arrived else 0.0
        return time.time() - max(last, self._since) > _SILENT

    def _hear(self, message: dict[str, Any]) -> None:
        kind = message.get("type")
        if kind == "media_restarted":
            self._renew = True
        elif kind == "talking":
            self.talking[message["user"]] = message["talking"]
        elif kind == "room_ended" or (kind == "snapshot" and message["room"]["status"] == "ended"):
            self.over = True

    async def _hang_up(self) -> None:
        if self._peer is not None:
            await self._peer.close()
            self._peer = None
