"""Speech for tests: LibriVox clips of Debian's pocketsphinx-testdata, files of our own, and a made voice by flite."""

from __future__ import annotations

import functools
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

from tests.support.weights import whisper_folder

FOLDER = Path("/usr/share/pocketsphinx/test/data/librivox")
OWN = Path(__file__).parents[1] / "speech"


@functools.cache
def clips() -> dict[Path, str]:
    """The clips with the words in them. Missing ones fail: script/bootstrap installs pocketsphinx-testdata."""
    words = {}
    for line in (FOLDER / "transcription").read_text().splitlines():
        text, _open, name = line.rpartition(" (")
        words[name.rstrip(")")] = re.sub(r"<[^>]*>", "", text).strip()
    return {path: words[path.stem] for path in sorted(FOLDER.glob("*.wav"))}


def clip(number: int = 0) -> tuple[Path, str]:
    """One clip and its words."""
    return list(clips().items())[number]


def references(folder: Path) -> dict[Path, str]:
    """The files that a folder's refs.tsv names, with the words in them."""
    lines = (folder / "refs.tsv").read_text().splitlines()
    return {folder / name: said for name, said in (line.split("\t") for line in lines)}


def made_voice(text: str, target: Path, voice: str = "rms") -> Path:
    """`text` spoken by flite."""
    flite = shutil.which("flite")
    assert flite, "flite is missing: script/bootstrap installs it"
    subprocess.run([flite, "-voice", voice, "-t", text, "-o", str(target)], check=True, capture_output=True)
    return target


def words(text: str) -> list[str]:
    """Words as they are compared: small letters, no marks."""
    return re.findall(r"[a-z']+", text.lower())


def share_of_words(spoken: str, heard: str) -> float:
    """How many of the spoken words were heard, 0 to 1."""
    there = set(words(heard))
    expected = words(spoken)
    return sum(word in there for word in expected) / len(expected)


def file_ms(path: Path) -> float:
    """How long a sound file lasts, by ffprobe, in milliseconds."""
    command = ["ffprobe", "-v", "error", "-show_entries", "format=duration", "-of", "csv=p=0", str(path)]
    return float(subprocess.run(command, check=True, capture_output=True, text=True).stdout) * 1000


@functools.cache
def _engine(model: str) -> Any:
    import whisper  # takes seconds, and most tests that lay speech have nothing to understand

    return whisper.load_model(model, download_root=str(whisper_folder()))


def understood(path: Path, model: str = "tiny.en") -> str:
    """Transcribe a file of English by Whisper, on one core: several threads spin for each other where others work.

    `base` takes twice as long, and makes more of sound with the holes of a busy machine.
    """
    import torch

    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        found = _engine(model).transcribe(
            str(path), language="en", temperature=0.0, condition_on_previous_text=False, fp16=False
        )
    finally:
        torch.set_num_threads(threads)
    return str(found["text"])
