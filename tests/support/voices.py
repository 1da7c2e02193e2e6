"""Voices that are known again in what was heard, whoever else speaks: recorded speech, found by correlation.

Levels are in dB: of a voice in a mix against what its client sent, of sound against full scale.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from rooms.guests import peers
from rooms.guests.hls_listener import Decoder, HlsListener
from rooms.models import RecordingFile
from tests.support.recordings import path_of
from tests.support.sounds import RATE, clip

# Between the two nothing is said for sure. A voice that is there is at -3 to +3 dB at its loudest, at -8 where a busy
# machine drops packets; the best match of one that is not there is at -16 dB while three others speak.
HEARD = -9.0  # dB; above it a voice is there
GONE = -13.0  # dB; below it there is none of it
SILENCE = -60.0  # dB of full scale: far below what a room's own noise is in these recordings, and above an encoder's
_SENT = 0.08  # of full scale, root mean square: -22 dB, so that three voices together stay below the limiter
_COARSE = 6  # samples that become one: 8 kHz is enough for speech
_WINDOW = 16_000  # of those, in which a voice is looked for: two seconds
KNOWN_BY = 2.05  # seconds of sound that are enough for that

Floats = np.ndarray[Any, np.dtype[np.float64]]


class Voice:
    """A recorded sentence that is said over and over, without a moment of digital silence in it."""

    def __init__(self, name: str) -> None:
        self.name = name
        sound = clip(name).astype(np.float64)
        sound *= _SENT / np.sqrt((sound**2).mean())
        samples = np.repeat((sound * 32767).astype(np.int16), peers.RATE // RATE)
        self.samples = samples[: len(samples) // peers.FRAME * peers.FRAME]  # in whole packets, or a loop would pause
        # Twice, half a coarse sample apart: what lies between two samples is not found by its high notes.
        self._patterns = [_Pattern(np.roll(self.samples, -shift)) for shift in (0, _COARSE // 2)]

    def microphone(self) -> peers.Clip:
        """Make a track that says it until it is stopped."""
        return peers.Clip(self.samples, loop=True)

    def level(self, heard: peers.Samples) -> float:
        """Return how loud this voice is in what was heard, at its loudest two seconds, in dB of what was sent."""
        sound = _sharpened(heard)
        assert len(sound) >= _WINDOW, f"{len(heard) / peers.RATE:.1f} s are too short to know a voice by"
        starts = range(0, len(sound) - _WINDOW + 1, _WINDOW // 4)
        windows = [sound[start : start + _WINDOW] for start in starts]
        return max(pattern.level(window) for window in windows for pattern in self._patterns)

    def share(self, heard: peers.Samples) -> float:
        """Return how much of it, from its beginning to its end, is somewhere in what was heard: 0 to 1.

        Each two seconds of it count for themselves. They are there if they are as loud as HEARD, and nothing beside
        them is much louder.
        """
        sound = _sharpened(heard)
        if len(sound) < _WINDOW:
            return 0.0
        sums = np.cumsum(np.concatenate([[0.0], sound**2]))
        norms = np.sqrt(sums[_WINDOW:] - sums[:-_WINDOW])
        spectrum = np.fft.rfft(sound, size := 1 << len(sound).bit_length())
        found = [
            max(_likeness(spectrum, norms, part, size) for part in parts) > 10 ** (HEARD / 20)
            for parts in zip(*(pattern.parts for pattern in self._patterns), strict=True)
        ]
        return float(np.mean(found))


def _likeness(spectrum: Any, norms: Floats, part: Floats, size: int) -> float:
    """How much of a part is in a sound at its best place: 1 for all of it and nothing else."""
    match = np.fft.irfft(spectrum * np.conj(np.fft.rfft(part, size)), size)[: len(norms)]
    norm = float(np.sqrt((part**2).sum()))
    return float((match / np.maximum(norms, norm)).max()) / norm


class _Pattern:
    """Words as they are looked for: anywhere in it, also across its end."""

    def __init__(self, samples: peers.Samples) -> None:
        sound = _sharpened(samples)
        self.level_sent = float(np.sqrt((sound**2).mean()))
        self.places = len(sound)
        starts = range(0, self.places - _WINDOW, _WINDOW // 2)
        self.parts = [sound[start : start + _WINDOW] for start in (*starts, self.places - _WINDOW)]
        around = np.resize(sound, self.places + _WINDOW)
        sums = np.cumsum(np.concatenate([[0.0], around**2]))
        self.norms = np.sqrt(sums[_WINDOW : _WINDOW + self.places] - sums[: self.places])
        self.size = 1 << (len(around) + _WINDOW - 1).bit_length()
        self.spectrum = np.fft.rfft(around, self.size)

    def level(self, window: Floats) -> float:
        """Level of the best match in dB of what was sent; that of something else is low, not none."""
        product = self.spectrum * np.conj(np.fft.rfft(window, self.size))
        match = np.fft.irfft(product, self.size)[: self.places] / self.norms
        return decibels(float(match.max()) / np.sqrt(_WINDOW) / self.level_sent)


def _sharpened(samples: peers.Samples) -> Floats:
    """Return sound at 8 kHz with its high notes raised: so it is like nothing but itself, a moment earlier or later."""
    coarse = samples[: len(samples) // _COARSE * _COARSE].reshape(-1, _COARSE).mean(axis=1) / 32768
    return np.diff(coarse, prepend=0.0)


def decibels(ratio: float) -> float:
    return 20 * float(np.log10(max(ratio, 1e-9)))


def loudest(samples: peers.Samples) -> float:
    """Return the loudest tenth of a second, in dB of full scale; that of no sound at all is -180."""
    return decibels(float(_loudness(samples, peers.RATE // 10).max(initial=0.0)))


def longest_silence(samples: peers.Samples) -> float:
    """Return the longest time, in seconds, without a packet that is louder than SILENCE."""
    loud = np.flatnonzero(_loudness(samples, peers.FRAME) > 10 ** (SILENCE / 20))
    edges = np.concatenate([[-1], loud, [len(samples) // peers.FRAME]])
    return float(np.diff(edges).max() - 1) * peers.FRAME / peers.RATE


def _loudness(samples: peers.Samples, block: int) -> Floats:
    blocks = samples[: len(samples) // block * block].reshape(-1, block) / 32768
    return np.asarray(np.sqrt((blocks**2).mean(axis=1)))


# --- what was heard between two moments, in seconds since 1970 ------------------------------------------------------


def near_sound(ears: peers.Ears, since: float, until: float) -> peers.Samples:
    """The sound that arrived at a listener by WebRTC."""
    parts = [part for part, at in zip(ears.parts, ears.arrived, strict=False) if since <= at < until]
    return np.concatenate(parts) if parts else np.zeros(0, np.int16)


def far_sound(far: HlsListener, since: float, until: float) -> peers.Samples:
    """The recording of that time, of the pieces that a listener by HLS fetched."""
    decoder, parts = Decoder(), [np.zeros(0, np.int16)]
    for _number, piece in sorted(dict(far.pieces).items()):
        parts.append(_part(decoder.add(piece), piece.at.timestamp(), since, until))
    return np.concatenate(parts)


def recorded_sound(file: RecordingFile, since: float, until: float) -> peers.Samples:
    """The part of a finished track or mix from that time."""
    started = file.recording.room.started_at
    assert started is not None
    return _part(peers.read_clip(path_of(file)), started.timestamp() + file.start_ms / 1000, since, until)


def _part(samples: peers.Samples, begins: float, since: float, until: float) -> peers.Samples:
    first, last = (max(0, round((moment - begins) * peers.RATE)) for moment in (since, until))
    return samples[first:last]
