"""Real speech laid at known times: the LibriVox clips of Debian's pocketsphinx-testdata (public domain)."""

import subprocess
import wave
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from transcripts.audio import Sound, blocks

RATE = 16_000
LIBRIVOX = Path("/usr/share/pocketsphinx/test/data/librivox")
WORDS = {
    "0870": "and mister john dashwood had then leisure to consider how much there might be prudently in his power "
    "to do for them",
    "0880": "he was not an ill disposed young man",
    "0890": "unless to be rather cold hearted and rather selfish is to be ill disposed",
    "0920": "had he married a more a amiable woman he might have been made still more respectable than he was",
    "0930": "he might even have been made amiable himself",
}
# Twenty-five seconds of one voice; also the order in which they were read.
CLIPS = tuple(WORDS)
DUTCH = Path(__file__).parent.parent / "speech" / "dutch"
# What a Dutch speaker says in these files, a word each.
DUTCH_WORDS = sorted(path.stem for path in DUTCH.glob("*.wav"))

Laid = Sequence[tuple[int, str]]  # (milliseconds, clip)


def clip(name: str) -> Sound:
    """One clip; a missing package is an error, never a skipped test."""
    path = LIBRIVOX / f"sense_and_sensibility_01_austen_64kb-{name}.wav"
    with wave.open(str(path)) as file:
        assert file.getframerate() == RATE
        samples = np.frombuffer(file.readframes(file.getnframes()), np.int16)
    return (samples / 32768).astype(np.float32)


def length_ms(name: str) -> int:
    return len(clip(name)) * 1000 // RATE


def laid(clips: Laid, total_ms: int) -> Sound:
    """Silence with clips laid into it."""
    sound = np.zeros(total_ms * RATE // 1000, np.float32)
    for at_ms, name in clips:
        piece = clip(name)
        start = at_ms * RATE // 1000
        sound[start : start + len(piece)] += piece
    return sound


def in_turn(names: Sequence[str], start_ms: int = 0, pause_ms: int = 400) -> tuple[list[tuple[int, str]], int]:
    """Where clips lie when they are said one after another; and when the last one is over."""
    places = []
    for name in names:
        places.append((start_ms, name))
        start_ms += length_ms(name) + pause_ms
    return places, start_ms


def dutch(pause_ms: int = 800) -> Sound:
    """The Dutch words, in order, a pause behind each."""
    pause = np.zeros(pause_ms * RATE // 1000, np.float32)
    return np.concatenate([part for word in DUTCH_WORDS for part in (*blocks(DUTCH / f"{word}.wav"), pause)])


def save_opus(sound: Sound, path: Path) -> None:
    """A track as a finished recording has it: Opus at 48 kHz in Ogg."""
    path.parent.mkdir(parents=True, exist_ok=True)
    command = ["ffmpeg", "-v", "error", "-y", "-f", "f32le", "-ar", str(RATE), "-ac", "1", "-i", "pipe:0"]
    command += ["-ar", "48000", "-c:a", "libopus", "-b:a", "48k", str(path)]
    subprocess.run(command, input=sound.tobytes(), check=True)


def plain_words(text: str) -> list[str]:
    """Words to compare: small letters only."""
    kept = "".join(letter if letter.isalpha() or letter == "'" else " " for letter in text.lower())
    return kept.replace("mr ", "mister ").split()


def word_error_rate(reference: Sequence[str], found: Sequence[str]) -> float:
    """Substitutions, insertions and deletions for each word of the reference."""
    costs = list(range(len(found) + 1))
    for row, word in enumerate(reference, 1):
        before, costs[0] = costs[0], row
        for column, other in enumerate(found, 1):
            cost = min(costs[column] + 1, costs[column - 1] + 1, before + (word != other))
            before, costs[column] = costs[column], cost
    return costs[-1] / len(reference)
