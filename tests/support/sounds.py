"""Real speech laid at known times: LibriVox clips of Debian's pocketsphinx-testdata, and what lies in tests/speech."""

import hashlib
import subprocess
import tempfile
import wave
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from tests.support.speech import OWN, references
from transcripts.speech.audio import Sound, blocks

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
IN_FULL = {"mr": "mister", "i'm": "i am"}
# Twenty-five seconds of one voice; also the order in which they were read.
CLIPS = tuple(WORDS)
# Other voices, each with its words.
OTHERS = {path.stem: (path, said) for path, said in references(OWN / "english").items()}
WORDS |= {name: said for name, (_path, said) in OTHERS.items()}
DUTCH = OWN / "dutch"
# What a Dutch speaker says in these files, a word each.
DUTCH_WORDS = sorted(path.stem for path in DUTCH.glob("*.wav"))
# What another says in these, a sentence or two each.
DUTCH_SENTENCES = references(DUTCH / "sentences")
# And in these, on which policies of live captions are tried, and no figure is made.
DUTCH_TUNING = references(DUTCH / "tuning")

Laid = Sequence[tuple[int, str]]  # (milliseconds, clip)


def clip(name: str) -> Sound:
    """One clip; a missing package is an error, never a skipped test."""
    if name in OTHERS:
        return np.concatenate(list(blocks(OTHERS[name][0])))
    path = LIBRIVOX / f"sense_and_sensibility_01_austen_64kb-{name}.wav"
    with wave.open(str(path)) as file:
        assert file.getframerate() == RATE
        samples = np.frombuffer(file.readframes(file.getnframes()), np.int16)
    return (samples / 32768).astype(np.float32)


def silent_wav(folder: Path) -> Path:
    """A second of nothing, for a browser's microphone."""
    path = folder / "silence.wav"
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(48_000)
        file.writeframes(bytes(2 * 48_000))
    return path


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


def dutch_words() -> Sound:
    """The Dutch words, in order."""
    return with_pauses([DUTCH / f"{word}.wav" for word in DUTCH_WORDS])


def dutch_sentences() -> Sound:
    """The Dutch sentences, in order."""
    return with_pauses(list(DUTCH_SENTENCES))


def with_pauses(paths: Sequence[Path], pause_ms: int = 800) -> Sound:
    """Files one after another, a pause behind each."""
    pause = np.zeros(pause_ms * RATE // 1000, np.float32)
    return np.concatenate([part for path in paths for part in (*blocks(path), pause)])


def applause(seconds: float) -> Sound:
    """Many people who clap: bursts of noise, each a few hundredths of a second long."""
    chance = np.random.default_rng(8)
    sound = np.zeros(round(seconds * RATE), np.float32)
    for at in chance.integers(0, len(sound) - 1600, round(seconds * 160)):
        length = int(chance.integers(300, 1200))
        clap = chance.normal(0, 1, length) * np.exp(-np.arange(length) / (length / 5))
        sound[at : at + length] += chance.uniform(0.01, 0.06) * clap
    return np.clip(sound, -1, 1)


def music(seconds: float) -> Sound:
    """A tune over a bass and a fifth, with overtones, four notes a second."""
    tune = (60, 64, 67, 72, 71, 67, 64, 62, 65, 69, 72, 77, 76, 72, 69, 64)
    time = np.arange(RATE // 4) / RATE
    parts = []
    for number in range(round(seconds * 4)):
        root = tune[number // 4 % len(tune)]
        pitches = [440 * 2 ** ((note - 69) / 12) for note in (tune[number % len(tune)], root - 12, root - 5)]
        tones = [np.sin(2 * np.pi * pitch * over * time) / over**1.5 for pitch in pitches for over in range(1, 5)]
        parts.append(0.05 * np.sum(tones, axis=0) * np.exp(-2 * time))
    return np.concatenate(parts).astype(np.float32)


def save_opus(sound: Sound, path: Path, effort: int = 10) -> None:
    """A track as a finished recording has it: Opus at 48 kHz in Ogg. Without effort (0) in a seventh of the time."""
    path.parent.mkdir(parents=True, exist_ok=True)
    samples = sound.tobytes()
    key = (hashlib.sha256(samples).digest(), effort)
    if key not in _encoded:
        _encoded[key] = _opus(samples, effort)
    path.write_bytes(_encoded[key])


# By the digest of their samples: many tests lay the same track.
_encoded: dict[tuple[bytes, int], bytes] = {}


def _opus(samples: bytes, effort: int) -> bytes:
    with tempfile.NamedTemporaryFile(suffix=".opus") as file:
        command = ["ffmpeg", "-v", "error", "-y", "-f", "f32le", "-ar", str(RATE), "-ac", "1", "-i", "pipe:0"]
        command += ["-ar", "48000", "-c:a", "libopus", "-b:a", "48k", "-compression_level", str(effort), file.name]
        subprocess.run(command, input=samples, check=True)
        return Path(file.name).read_bytes()


def plain_words(text: str) -> list[str]:
    """Words to compare: small letters only, and in full what is as right when it is written short."""
    kept = "".join(letter if letter.isalpha() or letter == "'" else " " for letter in text.lower())
    return [full for word in kept.split() for full in IN_FULL.get(word, word).split()]


def is_by(who: str, text: str, said: Mapping[str, str]) -> bool:
    """Whether a line has words that this person says, and more of them than of anybody else's."""
    found = plain_words(text)
    scores = {name: sum(word in plain_words(words) for word in found) for name, words in said.items()}
    return 0 < scores[who] == max(scores.values())


def word_error_rate(reference: Sequence[str], found: Sequence[str]) -> float:
    """Substitutions, insertions and deletions for each word of the reference."""
    costs = list(range(len(found) + 1))
    for row, word in enumerate(reference, 1):
        before, costs[0] = costs[0], row
        for column, other in enumerate(found, 1):
            cost = min(costs[column] + 1, costs[column - 1] + 1, before + (word != other))
            before, costs[column] = costs[column], cost
    return costs[-1] / len(reference)
