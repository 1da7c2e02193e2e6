"""Speakers and listeners without a browser: real WebRTC by aiortc, for the commands, the demo, tests and benches."""

from __future__ import annotations

import asyncio
import fractions
import itertools
import time
import wave
from pathlib import Path
from typing import IO, Any

import av
import numpy as np
from aiortc import MediaStreamTrack, RTCConfiguration, RTCIceServer, RTCPeerConnection, RTCSessionDescription
from aiortc.mediastreams import MediaStreamError

RATE = 48000
FRAME = RATE // 50  # samples in 20 ms


Samples = np.ndarray[Any, np.dtype[np.int16]]


def _flat(frame: av.AudioFrame) -> Samples:
    return frame.to_ndarray().reshape(-1).astype(np.int16)


def read_clip(path: Path) -> Samples:
    """A sound file as 48 kHz mono samples."""
    parts = []
    resampler = av.AudioResampler(format="s16", layout="mono", rate=RATE)
    with av.open(str(path)) as container:
        for frame in container.decode(audio=0):
            parts += [_flat(part) for part in resampler.resample(frame)]
        parts += [_flat(part) for part in resampler.resample(None)]
    return np.concatenate(parts).astype(np.int16)


class Clip(MediaStreamTrack):
    """A microphone that plays samples in real time: once, then silence, or over and over with a pause between."""

    kind = "audio"

    def __init__(self, samples: Samples, *, loop: bool = False, pause: float = 0.0, aligned: bool = False) -> None:
        """`aligned` clips follow the clock: two of the same length keep their turns without knowing of each other."""
        super().__init__()
        self.samples = np.concatenate([samples, np.zeros(int(pause * RATE), np.int16)]) if loop else samples
        self.loop = loop
        self.aligned = aligned
        self.position = 0
        self.sent = 0
        self.started: float | None = None
        self.playing = True
        self.finished = asyncio.Event()

    def again(self) -> Clip:
        """The same clip for another connection, going on where this one stands."""
        clip = Clip(self.samples, aligned=self.aligned)
        clip.loop, clip.position, clip.finished, clip.playing = self.loop, self.position, self.finished, self.playing
        return clip

    async def recv(self) -> av.AudioFrame:
        """The next 20 ms, when its time has come."""
        if self.started is None:
            self.started = time.monotonic()
            if self.aligned:
                self.position = int(time.time() * RATE) % len(self.samples)
        await asyncio.sleep(max(0.0, self.started + self.sent / RATE - time.monotonic()))
        # Stereo, both sides alike: aiortc's own upmix of mono costs 3 dB.
        frame = av.AudioFrame.from_ndarray(np.repeat(self._next(), 2).reshape(1, -1), format="s16", layout="stereo")
        frame.sample_rate = RATE
        frame.pts = self.sent
        frame.time_base = fractions.Fraction(1, RATE)
        self.sent += FRAME
        return frame

    def _next(self) -> Samples:
        if not self.playing:
            return np.zeros(FRAME, np.int16)
        part = self.samples[self.position : self.position + FRAME]
        self.position += FRAME
        if self.position >= len(self.samples):
            self.finished.set()
            if self.loop:
                self.position = 0
        return np.concatenate([part, np.zeros(FRAME - len(part), np.int16)])


def connection(servers: list[dict[str, Any]] | None = None) -> RTCPeerConnection:
    """A peer connection with our ICE servers (none: no public server is asked)."""
    return RTCPeerConnection(RTCConfiguration([RTCIceServer(**server) for server in servers or []]))


async def offer(peer: RTCPeerConnection) -> str:
    """A complete offer, candidates included."""
    await peer.setLocalDescription(await peer.createOffer())
    return peer.localDescription.sdp


async def accept(peer: RTCPeerConnection, answer: str) -> None:
    """Take the answer to our offer."""
    await peer.setRemoteDescription(RTCSessionDescription(answer, "answer"))


async def answer(peer: RTCPeerConnection, remote_offer: str) -> str:
    """Our complete answer to an offer."""
    await peer.setRemoteDescription(RTCSessionDescription(remote_offer, "offer"))
    await peer.setLocalDescription(await peer.createAnswer())
    return peer.localDescription.sdp


class Ears:
    """Takes what a track brings and keeps it as 48 kHz mono samples, with the time and level of each frame."""

    def __init__(self) -> None:
        self.parts: list[Samples] = []
        self.arrived: list[float] = []
        self.levels: list[float] = []
        self.first = asyncio.Event()
        self.task: asyncio.Future[None] | None = None
        self._resampler = av.AudioResampler(format="s16", layout="mono", rate=RATE)

    async def listen(self, track: MediaStreamTrack) -> None:
        """Until the track ends."""
        while True:
            try:
                frame = await track.recv()
            except MediaStreamError:
                return
            assert isinstance(frame, av.AudioFrame)
            self.arrived.append(time.time())
            heard = [_flat(part) for part in self._resampler.resample(frame)]
            self.parts += heard
            self.levels.append(max((int(np.abs(part).max()) for part in heard if len(part)), default=0) / 32768)
            self.first.set()

    def longest_gap(self, since: float, until: float, level: float = 0.01) -> float:
        """The longest time, in seconds, without a frame that is louder than `level` of full scale."""
        loud = [at for at, loudness in zip(self.arrived, self.levels, strict=False) if loudness > level]
        times = [since, *(at for at in loud if since <= at <= until), until]
        return max(after - before for before, after in itertools.pairwise(times))

    def samples(self) -> Samples:
        """All that was heard so far."""
        return np.concatenate(self.parts) if self.parts else np.zeros(0, np.int16)


class WaveFile:
    """A WAV file that grows: whatever ends the program, all that was added can be played. It begins with the first."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.count = 0  # samples
        self._handle: IO[bytes] | None = None
        self._file: wave.Wave_write | None = None

    @property
    def seconds(self) -> float:
        return self.count / RATE

    def add(self, samples: Samples) -> None:
        """Write on, and bring the length in the file's head up to date. Raises OSError."""
        if not len(samples):
            return
        if self._file is None or self._handle is None:
            self._handle = self.path.open("wb")
            self._file = wave.open(self._handle, "wb")  # noqa: SIM115  (closed by `close`)
            self._file.setnchannels(1)
            self._file.setsampwidth(2)
            self._file.setframerate(RATE)
        self._file.writeframes(samples.tobytes())
        self._handle.flush()
        self.count += len(samples)

    def close(self) -> None:
        if self._file is not None and self._handle is not None:
            self._file.close()
            self._handle.close()


def write_wave(path: Path, samples: Samples) -> None:
    """Keep samples as a WAV file."""
    file = WaveFile(path)
    file.add(samples)
    file.close()
