"""How loud each microphone goes into the mix, and what makes up for it afterwards. Pure.

Janus adds 16-bit samples without a limit and wraps around on overflow. So every microphone goes in 20 dB down: thirteen
voices (host, two co-hosts, ten speakers) at -3 dBFS, all in phase, still fit. After the mix the same 20 dB come back in
floating point, before a limiter: one voice is as loud as it came in, many loud ones are held below full scale.
"""

from __future__ import annotations

MICROPHONES = 13
JOIN_VOLUME = 10  # percent of the amplitude
MAKE_UP = 100 / JOIN_VOLUME  # factor of the amplitude, +20 dB
LIMIT = 0.8  # -2 dBFS: lossy coders overshoot a little

# The mix is mono in a stereo stream: take one side, for ffmpeg's own downmix of floating point adds 3 dB.
# Look ahead 10 ms, let go slowly (ten loud tones: -32 dB of distortion; with 80 ms -23 dB), no automatic level: what
# does not reach the limit stays as it is.
LEVEL_FILTER = (
    f"pan=mono|c0=c0,volume={MAKE_UP:g}:precision=float,alimiter=limit={LIMIT}:attack=10:release=400:level=disabled"
)


def highest_sum(microphones: int, peak: float) -> float:
    """The mix's highest possible sample, of full scale 1.0, when all microphones peak at once in phase."""
    return microphones * peak * JOIN_VOLUME / 100
