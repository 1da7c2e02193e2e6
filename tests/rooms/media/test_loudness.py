"""How loud and how clean: one voice as loud as it came in, many loud ones undistorted, on both ways; and how late."""

from __future__ import annotations

import asyncio
import time
from typing import Any

import numpy as np
import pytest

from rooms.guests import peers
from rooms.guests.hls_listener import HlsListener
from rooms.guests.near_listener import NearListener
from rooms.guests.talker import Talker
from rooms.guests.visitor import Browser
from tests.rooms.media.conftest import signed_in
from tests.rooms.media.test_power import until
from tests.support.processes import Site
from tests.support.rooms import open_room
from tests.support.voices import decibels
from tests.support.waiting import say

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.alone]

LOUD = 10 ** (-3 / 20)
VOICES = (1, 2, 3, 10)  # that talk, one stretch after the other
SECONDS = 5  # of each stretch
SETTLED = 1.5  # seconds until what the last one did when coming in is over
CLICKS = 12  # seconds
BLOCK = 4096
# In no simple proportion to each other, so that what distortion adds falls between them.
TONES = [311.0, 439.0, 541.0, 673.0, 821.0, 977.0, 1123.0, 1289.0, 1471.0, 1663.0]
Floats = np.ndarray[Any, np.dtype[np.float64]]


def sine(hertz: float) -> peers.Samples:
    """A loud voice: a sine at -3 dBFS."""
    line = np.arange(peers.RATE * 8) / peers.RATE
    return (LOUD * 32767 * np.sin(2 * np.pi * hertz * line)).astype(np.int16)


def loud_blocks(samples: peers.Samples) -> Floats:
    """The sound as blocks of 85 ms, those at full loudness only. What the machine drops now and then is in few."""
    whole = samples[: len(samples) // BLOCK * BLOCK].astype(np.float64).reshape(-1, BLOCK) / 32768
    loudness = np.sqrt((whole**2).mean(axis=1))
    found: Floats = whole[loudness > 0.8 * np.percentile(loudness, 90)]
    return found


def distortion(blocks: Floats, tones: list[float]) -> float:
    """Compute the sound that is none of the tones relative to the tones, in dB; -20 dB is 10 %.

    Of all blocks the one at the first tenth counts: overflow and clipping are in every block, packets that came late
    because this machine is busy are in some, and in many where ten voices are made on it.
    """
    power = np.abs(np.fft.rfft(blocks * np.blackman(BLOCK), axis=1)) ** 2
    hertz = np.fft.rfftfreq(BLOCK, 1 / peers.RATE)
    wanted = np.zeros(len(hertz), bool)
    for tone in tones:
        wanted |= np.abs(hertz - tone) < 40
    dirt = power[:, ~wanted].sum(axis=1) / power[:, wanted].sum(axis=1)
    return 10 * float(np.log10(np.percentile(dirt, 10)))


class Loud:
    """A room in which one talks at first, then two, three, ten; one listens near, one by HLS."""

    def __init__(self, site: Site) -> None:
        self.room = open_room("loud")
        self.talkers = [
            Talker(signed_in(site, f"voice{number}"), self.room.slug, peers.Clip(sine(tone), loop=True))
            for number, tone in enumerate(TONES)
        ]
        self.near = NearListener(Browser(site.url), self.room.slug)
        self.far = HlsListener(Browser(site.url), self.room.slug)
        self.stretches: dict[int, tuple[float, float]] = {}  # of so many voices: epoch seconds

    async def story(self) -> None:
        tasks = [asyncio.create_task(self.near.run()), asyncio.create_task(self.far.run(600))]
        await asyncio.wait_for(self.near.ears.first.wait(), 60)
        try:
            for voices in VOICES:
                tasks += [asyncio.create_task(talker.run()) for talker in self.talkers[len(tasks) - 2 : voices]]
                await until(lambda voices=voices: all(is_sending(talker) for talker in self.talkers[:voices]), 60)  # type: ignore[misc]
                await asyncio.sleep(SETTLED)
                began = time.time()
                await asyncio.sleep(SECONDS)
                self.stretches[voices] = began, time.time()
            await until(lambda: max(piece.at.timestamp() for piece in self.far.pieces.values()) > began + SECONDS, 60)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    def heard(self, voices: int) -> tuple[peers.Samples, peers.Samples]:
        """The sound that a near and a far listener heard while so many talked."""
        since, until = self.stretches[voices]
        ears = self.near.ears
        near = [part for part, at in zip(ears.parts, ears.arrived, strict=False) if since <= at < until]
        began = self.far.pieces[min(self.far.pieces)].at.timestamp()
        first, last = (max(0, round((moment - began) * peers.RATE)) for moment in (since, until))
        return np.concatenate(near), self.far.samples()[first:last]


def is_sending(talker: Talker) -> bool:
    """Whether its sound is on the way."""
    return talker.clip.started is not None


class Clicking:
    """A room in which clicks are said a second apart, heard near and by HLS."""

    def __init__(self, site: Site) -> None:
        self.room = open_room("clicking")
        self.talker = Talker(signed_in(site, "nora"), self.room.slug, peers.Clip(clicks(), loop=True))
        self.near = NearListener(Browser(site.url), self.room.slug)
        self.far = HlsListener(Browser(site.url), self.room.slug)

    async def story(self) -> None:
        listening = asyncio.create_task(self.near.run())
        talking = asyncio.create_task(self.talker.run(time.monotonic() + CLICKS))
        await self.far.run(CLICKS + 2)
        await talking
        listening.cancel()
        await asyncio.gather(listening, return_exceptions=True)

    def late(self) -> tuple[list[float], list[float]]:
        """Seconds from each click to the near listener's ears, and from each piece's beginning to its being there."""
        said, ears = said_at(self.talker.clip), self.near.ears
        heard = [at for at, level in zip(ears.arrived, ears.levels, strict=True) if level > 0.2]
        late = [min(at - mouth for at in heard if at >= mouth) for mouth in said if any(at >= mouth for at in heard)]
        pieces = [piece.fetched - piece.at.timestamp() for piece in self.far.pieces.values()]
        return late[2:-2], pieces[2:]


def test_loud_voices_and_how_late_they_are(lent_site: Site) -> None:
    """Clicks in a room beside the one in which one talks, two, three: when said, when heard, when to be played."""
    loud, clicking = Loud(lent_site), Clicking(lent_site)

    async def together() -> None:
        await asyncio.gather(loud.story(), clicking.story())

    asyncio.run(together())
    for voices in VOICES:
        tones = TONES[:voices]
        for name, samples in zip(("near", "far"), loud.heard(voices), strict=True):
            blocks = loud_blocks(samples)
            dirt, peak = distortion(blocks, tones), decibels(float(np.median(np.abs(blocks).max(axis=1))))
            say(f"{voices:2} voices, {name}: peak {peak:5.1f} dBFS, distortion {dirt:5.1f} dB, {len(blocks)} blocks")
            assert dirt < -20, f"{voices} voices, {name}: distorted"
            if voices == 1:
                loudness = decibels(float(np.median(np.sqrt((blocks**2).mean(axis=1)))) * np.sqrt(2))
                assert abs(loudness - decibels(LOUD)) < 3, f"{name}: {loudness:.1f} dBFS"
    near_late, far_late = clicking.late()
    near_ms, far_s = float(np.median(near_late)) * 1000, float(np.median(far_late))
    say(f"mouth to ear: near {near_ms:.0f} ms (packets), far {far_s:.1f} s from a sound to its piece being there")
    assert near_ms < 400
    assert far_s < 3.0


def clicks() -> peers.Samples:
    """A tenth of a second of tone each second."""
    line = np.arange(peers.RATE // 10) / peers.RATE
    second = np.zeros(peers.RATE)
    second[: len(line)] = 0.5 * np.sin(2 * np.pi * 1000 * line)
    return (second * 32767).astype(np.int16)


def said_at(clip: peers.Clip) -> list[float]:
    """When the clicks of the clip's last connection were sent, epoch seconds."""
    assert clip.started is not None
    began = time.time() - (time.monotonic() - clip.started)
    return [began + number for number in range(clip.sent // peers.RATE)]
