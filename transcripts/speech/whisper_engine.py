"""`WhisperEngine`: openai-whisper on this machine, with its official weights.

Unlike Whisper's defaults: no retries at higher temperatures (they took 130 s on a clip of 30 s), no text carried over
from one window to the next (that spreads loops), the room's language instead of detection.
"""

import hashlib
import logging
import time
from contextlib import suppress
from functools import lru_cache
from pathlib import Path
from typing import Any

import torch
import whisper

from transcripts.speech.audio import Sound
from transcripts.speech.engine import Beat, EngineUnavailable, TookTooLong, UnknownLanguage
from transcripts.speech.stitch import SpeechSegment, Word

log = logging.getLogger(__name__)


class WhisperEngine:
    """One Whisper model in memory, to be used by one thread. Raises EngineUnavailable when loaded without weights."""

    def __init__(self, name: str, folder: Path, window_seconds: int) -> None:
        self.model = name
        self.version = f"openai-whisper {whisper.__version__}"
        self.window_seconds = window_seconds
        check_weights(name, folder)
        self._whisper = whisper.load_model(name, device="cpu", download_root=str(folder))
        self._beat: Beat = lambda: None
        # Call beat before every module of the network, down to single multiplications: however slow the machine and
        # large the model, the time between two calls is far below a lease. A thread would also keep the lease of a
        # process that hangs; this way only progress does. A call costs some microseconds.
        for part in self._whisper.modules():
            part.register_forward_pre_hook(lambda _part, _given: self._beat())
        _keep_last_result(self._whisper.encoder)
        _compile_word_times()

    def transcribe(self, sound: Sound, language: str, beat: Beat) -> list[SpeechSegment]:
        """Transcribe at most 30 s of sound in this language; times are ms of the sound.

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
            return [_segment(segment) for segment in self._run_whisper(sound, language)["segments"]]
        finally:
            self._beat = lambda: None

    def _run_whisper(self, sound: Sound, language: str) -> dict[str, Any]:
        result: dict[str, Any] = whisper.transcribe(
            self._whisper,
            sound,
            language=language,
            temperature=0.0,
            condition_on_previous_text=False,
            word_timestamps=True,
            fp16=False,
        )
        return result


def _compile_word_times() -> None:
    """Compile the functions that find word times, or load what an earlier process compiled. Their first call takes a
    second or more without a beat: so it is here, where no lease runs."""
    timing: Any = whisper.timing
    functions = (timing.backtrace, timing.dtw_cpu)
    for function in functions:
        with suppress(RuntimeError):  # there is no folder to keep it in
            function.enable_caching()
    try:
        timing.dtw(torch.zeros(1, 1))
    except Exception:  # numba has no error of its own for it
        log.warning("what finds word times cannot be kept, or what is kept cannot be read", exc_info=True)
        for function in functions:
            function._cache.disable()
        timing.dtw(torch.zeros(1, 1))


def _keep_last_result(encoder: torch.nn.Module) -> None:
    """Let an encoder return its last result for the same input: Whisper runs it for the text, and for word times again.

    The result is a few megabytes. Computing it again took a sixth of the time of a window.
    """
    compute = encoder.forward
    last: list[torch.Tensor] = []  # input and result

    def forward(mel: torch.Tensor) -> torch.Tensor:
        if not last or not torch.equal(last[0], mel):
            last[:] = mel, compute(mel)
        return last[1]

    encoder.forward = forward


def _segment(segment: dict[str, Any]) -> SpeechSegment:
    words = tuple(
        Word(word["word"], round(word["start"] * 1000), round(word["end"] * 1000), round(float(word["probability"]), 3))
        for word in segment["words"]
    )
    return SpeechSegment(words, float(segment["no_speech_prob"]), float(segment["avg_logprob"]))


def expected_sha256(name: str) -> str:
    """Return OpenAI's SHA-256 of a model's weights, from their download URL. Raises EngineUnavailable."""
    try:
        return str(whisper._MODELS[name].split("/")[-2])
    except KeyError as error:
        known = ", ".join(whisper.available_models())
        raise EngineUnavailable(f"WHISPER_MODEL={name} is no Whisper model: write one of {known}.") from error


def weights_file(name: str, folder: Path) -> Path:
    expected_sha256(name)
    return folder / str(whisper._MODELS[name]).split("/")[-1]


def check_weights(name: str, folder: Path) -> None:
    """Raise EngineUnavailable for weights that are missing or not OpenAI's. Nothing is ever downloaded here."""
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
def whisper_engine(name: str, folder: Path, threads: int, window_seconds: int) -> WhisperEngine:
    """Load a model, once per process, for so many threads. Raises EngineUnavailable."""
    torch.set_num_threads(threads)
    return WhisperEngine(name, folder, window_seconds)
