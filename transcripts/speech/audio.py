"""Sound out of a file, as Whisper and the voice-activity model want it: 16 kHz, one channel, float32.

ffmpeg decodes only what is asked for and hands it over as a stream: an hour needs no more memory than a minute.
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
    """The sound from `start_ms` on, block by block; the last block may be shorter."""
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
    """`async=1` puts silence where the file's own time stamps jump, so that a sample's number stays its time."""
    part = ["-ss", f"{start_ms / 1000:.3f}"] + ([] if length_ms is None else ["-t", f"{length_ms / 1000:.3f}"])
    return [
        *("ffmpeg", "-nostdin", "-v", "error", "-threads", "1", "-protocol_whitelist", "file,pipe"),
        *part,
        *("-i", f"file:{path}", "-map", "0:a:0"),
        *("-af", "aresample=async=1:first_pts=0", "-ac", "1", "-ar", str(RATE), "-f", "f32le", "pipe:1"),
    ]


def read(path: Path, window: Sequence[Span], beat: Callable[[], None] = lambda: None) -> Sound:
    """The sound of a window, its spans end to end; each exactly as long as it should be, filled up with silence.

    `beat` is called after each block: a window may be a hundred short spans, each with an ffmpeg of its own.
    """
    parts = []
    for span in window:
        wanted = span.length_ms * RATE // 1000
        found = [np.zeros(0, np.float32)]
        for block in blocks(path, span.start_ms, span.length_ms):
            beat()
            found.append(block)
        part = np.concatenate(found)[:wanted]
        parts.append(np.pad(part, (0, wanted - len(part))))
    return np.concatenate(parts)
