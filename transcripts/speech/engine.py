"""Speech to words. `Engine` is all that the rest knows; `WhisperEngine` is openai-whisper on this machine.

Whisper's defaults are not ours: no retries at higher temperatures (they took 130 s on a clip of 30 s), nothing carried
over from one window to the next (that is how loops spread), the room's language instead of a guess.
"""

import hashlib
import time
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path
from typing import Any, Protocol

import torch
import whisper
from django.conf import settings

from transcripts.speech.audio import Sound
from transcripts.speech.stitch import Heard, Word

Beat = Callable[[], None]


class Engine(Protocol):
    """`hear` calls `beat` at every step of its work; what `beat` raises ends the work at once."""

    model: str
    version: str

    def hear(self, sound: Sound, language: str, beat: Beat) -> list[Heard]: ...


class EngineUnavailable(Exception):
    """There is no engine to do the work: the message says what the operator has to do."""


class UnknownLanguage(Exception):
    """The model does not know the room's language; what it wrote would be invented."""


class TookTooLong(Exception):
    """A window took longer than settings.SPEECH_WINDOW_SECONDS."""


class WhisperEngine:
    """One model in memory, used by one thread."""

    def __init__(self, name: str, folder: Path, window_seconds: int) -> None:
        self.model = name
        self.version = f"openai-whisper {whisper.__version__}"
        self.window_seconds = window_seconds
        check_weights(name, folder)
        self._whisper = whisper.load_model(name, device="cpu", download_root=str(folder))
        self._beat: Beat = lambda: None
        # A beat before every part of the network, down to each multiplication: however slow the machine and large the
        # model, no stretch without one comes near a lease. A thread beside the work would beat as evenly, but also for
        # a process whose work hangs; this way only work that gets on keeps its lease. It costs some microseconds each.
        for part in self._whisper.modules():
            part.register_forward_pre_hook(lambda _part, _given: self._beat())
        # Word times are found by a function that is compiled when it is first called: seconds, in which nothing could
        # beat. So it is called here, where no lease runs.
        whisper.timing.dtw(torch.zeros(1, 1))

    def hear(self, sound: Sound, language: str, beat: Beat) -> list[Heard]:
        """The words in at most 30 seconds of sound, in this language.

        Raises TookTooLong, UnknownLanguage, and whatever `beat` raises.
        """
        if not self._whisper.is_multilingual and language != "en":
            raise UnknownLanguage(f"WHISPER_MODEL={self.model} knows English only, not “{language}”")
        deadline = time.monotonic() + self.window_seconds

        def step() -> None:
            if time.monotonic() > deadline:
                raise TookTooLong(f"more than {self.window_seconds} s for one window")
            beat()

        self._beat = step
        try:
            return [_heard(segment) for segment in self._transcribe(sound, language)["segments"]]
        finally:
            self._beat = lambda: None

    def _transcribe(self, sound: Sound, language: str) -> dict[str, Any]:
        found: dict[str, Any] = whisper.transcribe(
            self._whisper,
            sound,
            language=language,
            temperature=0.0,
            condition_on_previous_text=False,
            word_timestamps=True,
            fp16=False,
        )
        return found


def _heard(segment: dict[str, Any]) -> Heard:
    words = tuple(
        Word(word["word"], round(word["start"] * 1000), round(word["end"] * 1000), round(float(word["probability"]), 3))
        for word in segment["words"]
    )
    return Heard(words, float(segment["no_speech_prob"]), float(segment["avg_logprob"]))


def expected_sha256(name: str) -> str:
    """OpenAI's own checksum of a model's weights; it stands in the address they are had from."""
    try:
        return str(whisper._MODELS[name].split("/")[-2])
    except KeyError as error:
        known = ", ".join(whisper.available_models())
        raise EngineUnavailable(f"WHISPER_MODEL={name} is no Whisper model: write one of {known}.") from error


def weights_file(name: str, folder: Path) -> Path:
    expected_sha256(name)
    return folder / str(whisper._MODELS[name]).split("/")[-1]


def check_weights(name: str, folder: Path) -> None:
    """Refuse to start with weights that are missing or not OpenAI's; nothing is ever downloaded in passing."""
    path = weights_file(name, folder)
    if not path.is_file():
        raise EngineUnavailable(
            f"{path} is missing: run `script/whisper_weights.py {name}`, or put the official file there."
        )
    with path.open("rb") as file:
        found = hashlib.file_digest(file, "sha256").hexdigest()
    if found != expected_sha256(name):
        raise EngineUnavailable(
            f"{path} is not OpenAI's {name} (its SHA-256 is {found[:12]}…): delete it, "
            f"then run `script/whisper_weights.py {name}`."
        )


@lru_cache(maxsize=1)
def _whisper_engine(name: str, folder: Path, threads: int, window_seconds: int) -> WhisperEngine:
    torch.set_num_threads(threads)
    return WhisperEngine(name, folder, window_seconds)


def engine() -> Engine:
    """The engine of this installation, loaded once a process. Raises EngineUnavailable."""
    return _whisper_engine(
        settings.WHISPER_MODEL, settings.WHISPER_MODEL_DIR, settings.WHISPER_THREADS, settings.SPEECH_WINDOW_SECONDS
    )
