"""Decoding of sound files for Whisper and the voice-activity model: 16 kHz, one channel, float32.

ffmpeg decodes only the range requested and streams it: an hour needs no more memory than a minute.
"""

import subprocess
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from transcripts.speech.windows import Span

RATE = 16_000
BLOCK = 16_384  # samples a block: 32 frames of the voice-activity model, about a second
Sound = npt.NDArray[np.float32]


class SoundUnreadable(Exception):
    """The file is missing, or ffmpeg cannot read it; the message is ffmpeg's last line."""


def blocks(path: Path, start_ms: int = 0, length_ms: int | None = None) -> Iterator[Sound]:
    """Yield the sound from `start_ms` on in blocks of BLOCK samples, the last one shorter. Raises SoundUnreadable."""
    if not path.is_file():
        raise SoundUnreadable(f"{path.name} is missing")
    process = subprocess.Popen(_command(path, start_ms, length_ms), stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert process.stdout is not None and process.stderr is not None
    try:
        while data := process.stdout.read(BLOCK * 4):
            yield np.frombuffer(data[: len(data) // 4 * 4], np.float32)
        error = process.stderr.read().decode(errors="replace").strip()
        if process.wait() != 0:
            raise SoundUnreadable(error.splitlines()[-1] if error else f"ffmpeg ended with {process.returncode}")
    finally:
        process.kill()
        process.wait()
        process.stdout.close()
        process.stderr.close()


def _command(path: Path, start_ms: int, length_ms: int | None) -> list[str]:
    """Build the ffmpeg command. `async=1` fills jumps of the time stamps with silence: sample number = time."""
    part = ["-ss", f"{start_ms / 1000:.3f}"] + ([] if length_ms is None else ["-t", f"{length_ms / 1000:.3f}"])
    return [
        *("ffmpeg", "-nostdin", "-v", "error", "-threads", "1", "-protocol_whitelist", "file,pipe"),
        *part,
        *("-i", f"file:{path}", "-map", "0:a:0"),
        *("-af", "aresample=async=1:first_pts=0", "-ac", "1", "-ar", str(RATE), "-f", "f32le", "pipe:1"),
    ]


def read_window(path: Path, window: Sequence[Span], beat: Callable[[], None] = lambda: None) -> Sound:
    """Decode a window: its spans end to end, each padded with silence to its exact length.

    `beat` is called after each block: a window may have a hundred short spans, each with its own ffmpeg process.
    """
    parts = []
    for span in window:
        wanted = span.length_ms * RATE // 1000
        decoded = [np.zeros(0, np.float32)]
        for block in blocks(path, span.start_ms, span.length_ms):
            beat()
            decoded.append(block)
        part = np.concatenate(decoded)[:wanted]
        parts.append(np.pad(part, (0, wanted - len(part))))
    return np.concatenate(parts)
