"""A listener by HLS that is no browser: polls the public playlist, fetches each piece once, keeps what it heard."""

from __future__ import annotations

import asyncio
import io
import logging
import re
import time
import urllib.error
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import av
import numpy as np

from rooms.guests import peers
from rooms.guests.visitor import Browser

log = logging.getLogger(__name__)

_MAP = re.compile(r'#EXT-X-MAP:URI="([^"]+)"')
_LIVE_EDGE = 2  # pieces before the end at which a player begins
_OVER = frozenset({401, 403, 404, 410})  # no such room, over, or not for us: asking again does not help


@dataclass(frozen=True)
class Piece:
    """One segment as fetched: its place, when it was recorded, its bytes behind its init bytes, when it came."""

    number: int
    at: datetime
    init: bytes
    body: bytes
    fetched: float


class Decoder:
    """Decodes pieces in the order in which they were recorded; what one leaves unfinished goes on in the next."""

    def __init__(self) -> None:
        self._init = b""
        self._codec: Any = None
        self._resampler = av.AudioResampler(format="s16", layout="mono", rate=peers.RATE)

    def add(self, piece: Piece) -> peers.Samples:
        """Decode the sound that this piece adds."""
        parts = []
        with av.open(io.BytesIO(piece.init + piece.body), "r") as container:
            stream = container.streams.audio[0]
            if piece.init != self._init:
                self._init = piece.init
                self._codec = av.CodecContext.create(stream.codec_context.name, "r")
                self._codec.extradata = stream.codec_context.extradata
            for packet in container.demux(stream):
                if packet.size:  # the last one is empty: it would end the decoder
                    for frame in self._codec.decode(packet):
                        parts += [part.to_ndarray().reshape(-1) for part in self._resampler.resample(frame)]
        return np.concatenate(parts).astype(np.int16) if parts else np.zeros(0, np.int16)


class HlsListener:
    """Fetches for a while; then `samples` is what was heard, one piece after the other.

    `take` is called with each new piece, in a thread. `over` tells that the room is over, or no longer open to us.
    """

    def __init__(self, browser: Browser, slug: str, take: Callable[[Piece], None] | None = None) -> None:
        self.take = take
        self.over = False
        self.browser = browser
        self.slug = slug
        self.pieces: dict[int, Piece] = {}
        self.discontinuities = 0
        self.failures = 0
        self._inits: dict[str, bytes] = {}

    async def run(self, seconds: float) -> None:
        """Poll twice a second until the time is up or the room is over; while the site is away, wait for it.

        Raises OSError when the room does not let us in, or nobody answers, before anything was heard.
        """
        end = time.monotonic() + seconds
        while time.monotonic() < end and not self.over:
            try:
                await asyncio.to_thread(self.poll)
            except urllib.error.HTTPError as error:
                if error.code in _OVER:
                    self._closed(error)
                self.failures += 1
            except OSError as error:
                if not self.pieces:
                    raise
                self.failures += 1
                log.info("%s: %s, trying again", self.slug, error or type(error).__name__)
            await asyncio.sleep(0.5)

    def _closed(self, error: OSError) -> None:
        if not self.pieces:
            raise error
        self.over = True

    def poll(self) -> None:
        """One look at the playlist, and what is new in it."""
        try:
            text = self.browser.fetch(f"/r/{self.slug}/live.m3u8").decode()
        except urllib.error.HTTPError as error:
            if error.code != 503:  # not yet: the recorder is just starting
                raise
            self.failures += 1
            return
        entries = _entries(text)
        try:
            for entry in entries if self.pieces else entries[-_LIVE_EDGE:]:
                self._take(*entry)
        except urllib.error.HTTPError as error:
            if error.code != 404:  # the room has a new epoch: the next list has addresses that open
                raise
            self.failures += 1

    def _take(self, number: int, at: datetime, init: str, address: str) -> None:
        """Fetch a piece that is new."""
        if self.pieces and number <= max(self.pieces):
            return
        if init not in self._inits:
            self._inits[init] = self.browser.fetch(init)
        body = self.browser.fetch(address)
        piece = self.pieces[number] = Piece(number, at, self._inits[init], body, time.time())
        if self.take is not None:
            self.take(piece)

    def samples(self) -> peers.Samples:
        """All pieces decoded."""
        decoder = Decoder()
        decoded = [decoder.add(self.pieces[number]) for number in sorted(self.pieces)]
        return np.concatenate(decoded) if decoded else np.zeros(0, np.int16)


def _entries(text: str) -> list[tuple[int, datetime, str, str]]:
    number, at, init, entries = 0, datetime.min, "", []
    for line in text.splitlines():
        if line.startswith("#EXT-X-MEDIA-SEQUENCE:"):
            number = int(line.partition(":")[2])
        elif found := _MAP.match(line):
            init = found[1]
        elif line.startswith("#EXT-X-PROGRAM-DATE-TIME:"):
            at = datetime.fromisoformat(line.partition(":")[2])
        elif line and not line.startswith("#"):
            entries.append((number, at, init, line))
            number += 1
    return entries
