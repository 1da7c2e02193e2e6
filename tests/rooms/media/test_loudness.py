"""How loud and how clean: one voice as loud as it came in, many loud ones undistorted, on both ways; and how late."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from rooms.guests import peers
from rooms.guests.hls_listener import HlsListener
from rooms.guests.near_listener import NearListener
from rooms.guests.talker import Talker
from rooms.guests.visitor import Browser
from rooms.models import Room
from tests.support.processes import Site
from tests.support.waiting import say

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.alone]

LOUD = 10 ** (-3 / 20)
SECONDS = 8
BLOCK = 4096
# In no simple proportion to each other, so that what distortion adds falls between them.
TONES = [311.0, 439.0, 541.0, 673.0, 821.0, 977.0, 1123.0, 1289.0, 1471.0, 1663.0]
Floats = np.ndarray[Any, np.dtype[np.float64]]


def sine(hertz: float) -> peers.Samples:
    """A loud voice: a sine at -3 dBFS."""
    line = np.arange(peers.RATE * SECONDS) / peers.RATE
    return (LOUD * 32767 * np.sin(2 * np.pi * hertz * line)).astype(np.int16)


def loud_blocks(samples: peers.Samples) -> Floats:
    """The sound as blocks of 85 ms, those at full loudness only. What the machine drops now and then is in few."""
    whole = samples[: len(samples) // BLOCK * BLOCK].astype(np.float64).reshape(-1, BLOCK) / 32768
    loudness = np.sqrt((whole**2).mean(axis=1))
    found: Floats = whole[loudness > 0.8 * np.percentile(loudness, 90)]
    return found


def decibels(value: float) -> float:
    return 20 * float(np.log10(max(value, 1e-9)))


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


async def hear(site: Site, room: Room, talkers: list[Talker]) -> tuple[peers.Samples, peers.Samples]:
    """Record the sound of a near and a far listener while all talk."""
    near, far = NearListener(Browser(site.url), room.slug), HlsListener(Browser(site.url), room.slug)
    listening = asyncio.create_task(near.run())
    await asyncio.wait_for(near.ears.first.wait(), 60)
    talking = [asyncio.create_task(talker.run(time.monotonic() + SECONDS + 5)) for talker in talkers]
    await far.run(SECONDS + 8)
    await asyncio.gather(*talking)
    listening.cancel()
    await asyncio.gather(listening, return_exceptions=True)
    return near.ears.samples(), far.samples()


@pytest.mark.parametrize("voices", [1, 2, 3, 10])
def test_loud_voices(sounding: Site, room: Room, guest: Callable[[str], Browser], voices: int) -> None:
    tones = TONES[:voices]
    talkers = [
        Talker(guest(f"voice{number}"), room.slug, peers.Clip(sine(tone), loop=True))
        for number, tone in enumerate(tones)
    ]
    for name, samples in zip(("near", "far"), asyncio.run(hear(sounding, room, talkers)), strict=True):
        blocks = loud_blocks(samples)
        dirt, peak = distortion(blocks, tones), decibels(float(np.median(np.abs(blocks).max(axis=1))))
        say(f"{voices:2} voices, {name}: peak {peak:5.1f} dBFS, distortion {dirt:5.1f} dB")
        assert dirt < -20, f"{name}: distorted"
        if voices == 1:
            loudness = decibels(float(np.median(np.sqrt((blocks**2).mean(axis=1)))) * np.sqrt(2))
            assert abs(loudness - decibels(LOUD)) < 3, f"{name}: {loudness:.1f} dBFS"


def test_mouth_to_ear(sounding: Site, room: Room, guest: Callable[[str], Browser]) -> None:
    """Clicks a second apart: when each was said, when the near listener heard it, when its piece could be played."""
    clip = peers.Clip(clicks(), loop=True)
    talker = Talker(guest("nora"), room.slug, clip)

    async def story() -> tuple[list[float], list[float]]:
        near, far = NearListener(Browser(sounding.url), room.slug), HlsListener(Browser(sounding.url), room.slug)
        listening = asyncio.create_task(near.run())
        talking = asyncio.create_task(talker.run(time.monotonic() + 14))
        await far.run(16)
        await talking
        listening.cancel()
        await asyncio.gather(listening, return_exceptions=True)
        said = said_at(talker.clip)
        heard = [at for at, level in zip(near.ears.arrived, near.ears.levels, strict=True) if level > 0.2]
        late = [min(at - mouth for at in heard if at >= mouth) for mouth in said if any(at >= mouth for at in heard)]
        pieces = [piece.fetched - piece.at.timestamp() for piece in far.pieces.values()]
        return late[2:-2], pieces[2:]

    near_late, far_late = asyncio.run(story())
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
