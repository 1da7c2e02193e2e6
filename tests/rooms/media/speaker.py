"""A speaker's client with its parts in the test's hand: it sends on, asks again and loses its network as it is told."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable
from typing import Any

from aiortc import RTCPeerConnection
from django.conf import settings
from websockets.exceptions import WebSocketException

from rooms.guests import peers
from rooms.guests.visitor import Browser, SiteRefused, Visitor, new_page, speak
from tests.rooms.media.listeners import WITHIN
from tests.support.voices import Voice
from tests.support.waiting import until


class Speaker:
    """A person with one page and one microphone at a time. Does nothing by itself."""

    def __init__(self, browser: Browser, slug: str, voice: Voice) -> None:
        self.browser, self.slug = browser, slug
        self.clip = voice.microphone()
        self.page = new_page()
        self.answers: Counter[tuple[str, str]] = Counter()  # verb and code, "ok" where it was done
        self.told: list[dict[str, Any]] = []  # what came over its lines, but for answers
        self.visitor: Visitor | None = None
        self.peer: RTCPeerConnection | None = None
        self._lines: list[Visitor] = []
        self._peers: list[RTCPeerConnection] = []

    async def come(self, page: str = "") -> None:
        """Open a line to the room, beside those that are open."""
        self.page = page or self.page
        self.visitor = await Visitor(self.browser, self.slug, self.told.append, self.page).__aenter__()
        self._lines.append(self.visitor)

    async def ask(self, verb: str, **values: Any) -> str:
        """Say a verb; returns its code."""
        assert self.visitor is not None
        try:
            await self.visitor.ask(verb, **values)
            code = "ok"
        except SiteRefused as refused:
            code = refused.code
        except (OSError, TimeoutError, WebSocketException):
            code = "no line"
        self.answers[verb, code] += 1
        return code

    async def consent(self) -> None:
        assert await self.ask("consent", version=settings.CONSENT_VERSION) == "ok"

    async def send(self) -> None:
        """Connect a microphone, beside those that are connected, until its sound is on its way."""
        assert self.visitor is not None
        self.clip = self.clip.again()  # aiortc stops the track of a closed connection
        self.peer = await speak(self.visitor, self.clip)
        self._peers.append(self.peer)
        await until(self.is_sending, WITHIN, 0.05, "a connected microphone")

    async def send_again(self) -> None:
        """Connect as soon as the media server is there again."""
        async with asyncio.timeout(WITHIN):
            while True:
                try:
                    return await self.send()
                except SiteRefused as refused:
                    assert refused.code == "media_unavailable"
                    await asyncio.sleep(0.3)

    def is_sending(self) -> bool:
        return self.clip.sent > peers.RATE // 5

    async def sit_and_speak(self) -> None:
        """Come, take a seat and open the microphone."""
        await self.come()
        await self.consent()
        assert await self.ask("take_seat") == "ok"
        await self.send()
        assert await self.ask("unmute") == "ok"

    async def insist(self) -> None:
        """Ask for an open microphone over and over, about as fast as the limit on acts lets one."""
        while True:
            await self.ask("unmute")
            await self.ask("speak_claim", take=True)
            await asyncio.sleep(1.0)

    # --- the network ------------------------------------------------------------------------------------------------

    def cut_line(self) -> None:
        """End the line's connection without a word."""
        self._transport().abort()

    def freeze_line(self) -> None:
        """Answer nothing on the line, nor end it: as a phone that is out of reach."""
        self._transport().pause_reading()

    def _transport(self) -> asyncio.Transport:
        assert self.visitor is not None
        return self.visitor._socket.transport

    def unplug(self) -> Callable[[], None]:
        """Let no packet of the microphone through, either way; returns what plugs it in again."""
        return _unplug(self.peer, deaf_only=False)

    def turn_deaf(self) -> None:
        """Take no notice of whatever the media server says, its goodbye too, and send on."""
        _unplug(self.peer, deaf_only=True)

    async def go(self) -> None:
        """Close everything."""
        for peer in self._peers:
            await peer.close()
        for line in self._lines:
            line._socket.transport.abort()
            await line.__aexit__(None, None, None)


class _Nowhere:
    """A datagram transport whose packets are lost."""

    def __init__(self, real: asyncio.DatagramTransport) -> None:
        self.real = real
        self.close = real.close

    def sendto(self, data: bytes, addr: Any = None) -> None:
        """Lose a packet."""


def _unplug(peer: RTCPeerConnection | None, *, deaf_only: bool) -> Callable[[], None]:
    assert peer is not None
    ice = peer.getSenders()[0].transport.transport
    protocols: list[Any] = list(ice._connection._protocols)
    for protocol in protocols:
        protocol.datagram_received = lambda data, addr: None
        if not deaf_only:
            protocol.transport = _Nowhere(protocol.transport)

    def plug_in() -> None:
        for protocol in protocols:
            del protocol.datagram_received
            protocol.transport = protocol.transport.real

    return plug_in
