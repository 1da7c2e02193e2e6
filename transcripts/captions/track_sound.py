"""Sound of a growing track: packets of Opus decoded to 16 kHz, each stretch at its time."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import av
import numpy as np

from transcripts.captions.track_tail import Packet
from transcripts.speech.audio import RATE, Sound

CLOCK = 48_000  # of RTP and Opus
_PER_MS = CLOCK // 1000
_DRIFT_MS = 3000  # between a packet's own time and when it came, beyond which its own time is not believed
_GAP = CLOCK // 100  # samples; less missing than this is no gap


class TrackSound:
    """Decoder of one track. Times are ms since the track's first packet."""

    def __init__(self) -> None:
        self._first_time: int | None = None
        self._expected: int | None = None
        self._begin()

    def _begin(self) -> None:
        """Start decoding anew: what comes next does not follow what was before."""
        self._codec: Any = av.CodecContext.create("opus", "r")
        self._codec.sample_rate, self._codec.layout = CLOCK, "mono"
        self._resampler = av.AudioResampler(format="flt", layout="mono", rate=RATE)

    def decode(self, packets: Iterable[Packet]) -> Iterator[tuple[float, Sound]]:
        """Yield stretches of sound with the time of each. A packet that cannot be decoded is left out."""
        for packet in packets:
            if self._first_time is None:
                self._first_time = packet.time - packet.came_ms * _PER_MS
            at_ms = (packet.time - self._first_time) / _PER_MS
            if abs(at_ms - packet.came_ms) > _DRIFT_MS:  # the sender began to count anew
                self._first_time = packet.time - packet.came_ms * _PER_MS
                at_ms = packet.came_ms
            if self._expected is not None and abs(packet.time - self._expected) > _GAP:
                self._begin()
            sound = self._sound_of(packet.payload)
            self._expected = packet.time + len(sound) * CLOCK // RATE if len(sound) else None
            if len(sound):
                yield at_ms, sound

    def _sound_of(self, payload: bytes) -> Sound:
        try:
            frames = self._codec.decode(av.Packet(payload))
        except av.FFmpegError:
            self._begin()
            return np.zeros(0, np.float32)
        parts = [out.to_ndarray()[0] for frame in frames for out in self._resampler.resample(frame)]
        return np.concatenate(parts).astype(np.float32) if parts else np.zeros(0, np.float32)
