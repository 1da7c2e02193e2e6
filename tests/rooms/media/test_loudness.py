"""How loud and how clean: one voice as loud as it came in, many loud ones undistorted, on both ways; and how late."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from rooms.media import peers
from rooms.media.hls_listener import HlsListener
from rooms.media.near_listener import NearListener
from rooms.media.talker import Talker
from rooms.media.visitor import Browser
from rooms.models import Room
from tests.processes import Site
from tests.rooms.media.conftest import say

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.alone]

LOUD = 10 ** (-3 / 20)
SECONDS = 8
Floats = np.ndarray[Any, np.dtype[np.float64]]


def sine(hertz: float) -> peers.Samples:
    """A loud voice: a sine at -3 dBFS."""
    line = np.arange(peers.RATE * SECONDS) / peers.RATE
    return (LOUD * 32767 * np.sin(2 * np.pi * hertz * line)).astype(np.int16)


def middle(samples: peers.Samples, seconds: float = 3.0) -> Floats:
    """The last loud stretch but one second: everybody talks there."""
    whole = samples.astype(np.float64) / 32768
    blocks = np.abs(whole[: len(whole) // 4800 * 4800]).reshape(-1, 4800).max(axis=1)
    loud = np.flatnonzero(blocks > blocks.max() / 2)
    end = (loud[-1] - 10) * 4800
    return whole[int(end - seconds * peers.RATE) : end]


def decibels(value: float) -> float:
    return 20 * float(np.log10(max(value, 1e-9)))


def distortion(sound: Floats, tones: list[float]) -> float:
    """What is not one of the tones against what is, in dB; below -20 dB (10 %) music would still pass."""
    power = np.abs(np.fft.rfft(sound * np.blackman(len(sound)))) ** 2
    hertz = np.fft.rfftfreq(len(sound), 1 / peers.RATE)
    wanted = np.zeros(len(hertz), bool)
    for tone in tones:
        wanted |= np.abs(hertz - tone) < 12
    return 10 * float(np.log10(power[~wanted].sum() / power[wanted].sum()))


async def hear(site: Site, room: Room, talkers: list[Talker]) -> tuple[peers.Samples, peers.Samples]:
    """What a near and a far listener hear while all talk."""
    near, far = NearListener(Browser(site.url), room.slug), HlsListener(Browser(site.url), room.slug)
    listening = asyncio.create_task(near.run())
    await asyncio.wait_for(near.ears.first.wait(), 15)
    talking = [asyncio.create_task(talker.run(time.monotonic() + SECONDS + 5)) for talker in talkers]
    await far.run(SECONDS + 8)
    await asyncio.gather(*talking)
    listening.cancel()
    await asyncio.gather(listening, return_exceptions=True)
    return near.ears.samples(), far.samples()


@pytest.mark.parametrize(
    ("voices", "same"), [(1, False), (2, False), (3, False), (10, False)], ids=["one", "two", "three", "ten"]
)
def test_loud_voices(sounding: Site, room: Room, guest: Callable[[str], Browser], voices: int, same: bool) -> None:
    tones = [300.0 + 97 * number for number in range(voices)]
    talkers = [
        Talker(guest(f"voice{number}"), room.slug, peers.Clip(sine(tone), loop=True))
        for number, tone in enumerate(tones)
    ]
    for name, samples in zip(("near", "far"), asyncio.run(hear(sounding, room, talkers)), strict=True):
        sound = middle(samples)
        dirt, peak = distortion(sound, tones), decibels(float(np.abs(sound).max()))
        say(f"{voices:2} voices, {name}: peak {peak:5.1f} dBFS, distortion {dirt:5.1f} dB")
        assert dirt < -20, f"{name}: distorted"
        if voices == 1:
            loudness = decibels(float(np.sqrt((sound**2).mean())) * np.sqrt(2))
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
