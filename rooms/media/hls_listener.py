"""A listener by HLS that is no browser: polls the public playlist, fetches each piece once, keeps what it heard."""

from __future__ import annotations

import asyncio
import io
import logging
import re
import time
import urllib.error
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import av
import numpy as np

from rooms.media import peers
from rooms.media.visitor import Browser

log = logging.getLogger(__name__)

_MAP = re.compile(r'#EXT-X-MAP:URI="([^"]+)"')
_LIVE_EDGE = 2  # pieces before the end at which a player begins


@dataclass(frozen=True)
class Piece:
    """One segment as fetched: its place, when it was recorded, its bytes behind its init bytes, when it came."""

    number: int
    at: datetime
    init: bytes
    body: bytes
    fetched: float


class HlsListener:
    """Fetches for a while; then `samples` is what was heard, one piece after the other."""

    def __init__(self, browser: Browser, slug: str) -> None:
        self.browser = browser
        self.slug = slug
        self.pieces: dict[int, Piece] = {}
        self.discontinuities = 0
        self.failures = 0
        self._inits: dict[str, bytes] = {}

    async def run(self, seconds: float) -> None:
        """Poll twice a second. Raises OSError when the room does not let us in."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            await asyncio.to_thread(self.poll)
            await asyncio.sleep(0.5)

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
        self.pieces[number] = Piece(number, at, self._inits[init], body, time.time())

    def samples(self) -> np.ndarray[Any, np.dtype[np.int16]]:
        """All pieces decoded, run by run (a decoder needs a run's pieces in one go)."""
        runs: list[tuple[bytes, list[bytes]]] = []
        for number in sorted(self.pieces):
            piece = self.pieces[number]
            if not runs or runs[-1][0] != piece.init:
                runs.append((piece.init, []))
            runs[-1][1].append(piece.body)
        decoded = [_decode(init + b"".join(bodies)) for init, bodies in runs]
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


def _decode(data: bytes) -> np.ndarray[Any, np.dtype[np.int16]]:
    resampler = av.AudioResampler(format="s16", layout="mono", rate=peers.RATE)
    parts = []
    with av.open(io.BytesIO(data), "r") as container:
        for frame in container.decode(audio=0):
            parts += [part.to_ndarray().reshape(-1) for part in resampler.resample(frame)]
    return np.concatenate(parts).astype(np.int16) if parts else np.zeros(0, np.int16)
