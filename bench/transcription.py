"""The cost of transcription compared with bare Whisper, and the peak memory for an hour of speech.

    python bench/transcription.py [--model base] [--minutes 60] [--threads 1]

Speed: seconds of work for a second of sound, ours (decoding, voice activity, windows, words with times) beside bare
`whisper.transcribe` on the same clip, with and without word times. Memory: the peak of a process that takes a track of
one minute and one of `--minutes` through the very same steps. No database and no queue: they cost next to nothing here.

Needs Whisper's weights and Debian's pocketsphinx-testdata.
"""

import argparse
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
os.environ.setdefault("SECRET_KEY", "x" * 50)
os.environ.setdefault("LEDGER_KEY", "x" * 50)
os.environ.setdefault("DATABASE_URL", "postgresql://none:none@127.0.0.1:1/none")
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

from django.conf import settings

from tests.support import sounds
from transcripts.speech import audio, vad
from transcripts.speech.stitch import CueDraft, stitch
from transcripts.speech.windows import pack, spans

if TYPE_CHECKING:
    from transcripts.speech.whisper_engine import WhisperEngine


def load(model: str) -> "WhisperEngine":
    from transcripts.speech.whisper_engine import WhisperEngine  # imports torch

    return WhisperEngine(model, settings.WHISPER_MODEL_DIR, 600)


def ours(engine: "WhisperEngine", path: Path, language: str = "en") -> list[CueDraft]:
    """One track, as a worker does it."""
    lines: list[CueDraft] = []
    for window in list(pack(spans(vad.probabilities(audio.blocks(path))))):
        lines += stitch(engine.transcribe(audio.read_window(path, window), language, lambda: None), window, 0, language)
    return lines


def talk(path: Path, minutes: float, share: float) -> None:
    """Make a track of `minutes`, of which a share is speech."""
    places: list[tuple[int, str]] = []
    at_ms, turn = 500, 0
    while at_ms < minutes * 60_000 - 8_000:
        name = sounds.CLIPS[turn % len(sounds.CLIPS)]
        places.append((at_ms, name))
        at_ms += round(sounds.length_ms(name) / share)
        turn += 1
    sounds.save_opus(sounds.laid(places, round(minutes * 60_000)), path)


def seconds(work: object) -> float:
    started = time.perf_counter()
    work()  # type: ignore[operator]
    return time.perf_counter() - started


def speed(model: str) -> None:
    import whisper

    engine = load(model)
    bare = engine._whisper
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "warm.opus"
        talk(path, 0.5, 0.9)
        ours(engine, path)  # the first window compiles Whisper's word alignment
        print(f"{'clip':<28}{'ours':>8}{'bare':>8}{'ratio':>7}{'bare, word times':>18}{'ratio':>7}")
        for name, minutes, share in (("1 min, 90 % speech", 1.0, 0.9), ("3 min, 10 % speech", 3.0, 0.1)):
            path = Path(folder) / "clip.opus"
            talk(path, minutes, share)
            best = [
                min(seconds(work) for _ in range(2))
                for work in (
                    lambda path=path: ours(engine, path),
                    lambda path=path: whisper.transcribe(bare, str(path), language="en", fp16=False),
                    lambda path=path: whisper.transcribe(
                        bare, str(path), language="en", fp16=False, word_timestamps=True
                    ),
                )
            ]
            mine, plain, timed = (each / (minutes * 60) for each in best)
            print(f"{name:<28}{mine:>8.3f}{plain:>8.3f}{mine / plain:>7.2f}{timed:>18.3f}{mine / timed:>7.2f}")


def peak(model: str, path: str) -> None:
    """Print the peak memory of this process in MiB before and after the track; run in a process of its own."""
    engine = load(model)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    lines = ours(engine, Path(path))
    after = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"{before:.0f} {after:.0f} {len(lines)}")


def memory(model: str, minutes: int, threads: int) -> None:
    print(f"{'track':<14}{'model loaded':>14}{'peak':>10}{'lines':>8}{'seconds':>9}")
    with tempfile.TemporaryDirectory() as folder:
        for length in (1, minutes):
            path = Path(folder) / f"{length}.opus"
            talk(path, length, 0.5)
            command = [sys.executable, __file__, "--peak", str(path), "--model", model]
            started = time.perf_counter()
            done = subprocess.run([*command, "--threads", str(threads)], check=True, capture_output=True, text=True)
            before, after, lines = done.stdout.split()
            took = time.perf_counter() - started
            print(f"{length:>3} min{'':<7}{before:>10} MiB{after:>6} MiB{lines:>8}{took:>9.0f}", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", default="base")
    parser.add_argument("--memory-model", default="tiny.en", help="memory does not depend on it but for its weights")
    parser.add_argument("--minutes", type=int, default=60)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--only", choices=["speed", "memory"])
    parser.add_argument("--peak", help=argparse.SUPPRESS)
    given = parser.parse_args()
    import torch  # takes seconds, and nobody who asks for help needs it

    torch.set_num_threads(given.threads)
    if given.peak:
        peak(given.model, given.peak)
        return
    if given.only != "memory":
        print(f"Speed, {given.model}, {given.threads} thread(s): seconds of work for a second of sound")
        speed(given.model)
    if given.only != "speed":
        print(f"Memory, {given.memory_model}")
        memory(given.memory_model, given.minutes, given.threads)


if __name__ == "__main__":
    main()
