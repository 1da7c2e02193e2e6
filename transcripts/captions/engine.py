"""Live engines: what is said in the last seconds of somebody's sound, again and again while they talk.

`FastEngine` is CTranslate2, which needs a fourth of Whisper's own time for short sound. Where it cannot be loaded,
`SlowEngine` is Whisper itself, as for transcripts.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from django.conf import settings

from transcripts.captions.loops import is_new_loop, without_echoes
from transcripts.captions.whisper_parts import log_mel, tokenizer_of
from transcripts.captions.words import with_punctuation
from transcripts.speech.audio import RATE, Sound
from transcripts.speech.engine import Engine, EngineUnavailable, UnknownLanguage
from transcripts.speech.stitch import SpeechSegment, Word

log = logging.getLogger(__name__)

WHOLE_SECONDS = 30  # of sound that Whisper can take
SHORT_SECONDS = 16  # of sound and silence at least: with less, long Dutch sentences are ruined …
SHORTER_SECONDS = {"en": 12}  # … but English ones are not, for three quarters of the cost
MORE_SECONDS = 3  # of silence after the sound
_FRAMES = 100  # of Whisper's spectrogram a second
_TOKENS = 8  # a second, beyond which no one speaks
_PER_TOKEN = 1000 / 50  # ms of a step of the alignment


@dataclass(frozen=True, slots=True)
class Heard:
    """Words that an engine heard after those that were given, times in ms of the sound; and the language, with its
    probability, where that was asked for."""

    words: tuple[Word, ...]
    no_speech: float
    logprob: float
    language: str = ""
    sure: float = 0.0

    @property
    def segment(self) -> SpeechSegment:
        return SpeechSegment(self.words, self.no_speech, self.logprob)


class LiveEngine(Protocol):
    """Interface of a recognizer of speech that goes on. `said` are words of this sound that are certain already. It may
    be called by `at_once` threads."""

    model: str
    version: str
    at_once: int
    patience: float  # seconds after which a hearing hangs

    def hear(self, sound: Sound, language: str, said: Sequence[Word], *, ask_language: bool = False) -> Heard: ...


class FastEngine:
    """A model in CTranslate2. Also an `Engine`, for whole windows."""

    patience = 60.0

    def __init__(self, name: str, folder: Path, at_once: int) -> None:
        """Load the model, on a graphics card where there is one. Each hearing takes one core. Raises EngineUnavailable
        without weights, ImportError, RuntimeError and ValueError where CTranslate2 does not run here."""
        import ctranslate2

        from transcripts.captions.weights import converted

        self.model, self.at_once = name, at_once
        self.version = f"ctranslate2 {ctranslate2.__version__}"
        self._storage = ctranslate2.StorageView
        with converted(name, folder) as path:
            self._model = self._load(ctranslate2, str(path), at_once)
        self._multilingual = self._model.is_multilingual

    @staticmethod
    def _load(ctranslate2: Any, path: str, at_once: int) -> Any:
        try:
            if ctranslate2.get_cuda_device_count():
                return ctranslate2.models.Whisper(path, device="cuda", compute_type="int8_float16")
        except (RuntimeError, ValueError) as error:  # a driver that is too old, a card without such numbers
            log.warning("captions do not use the graphics card: %s", error)
        return ctranslate2.models.Whisper(
            path, device="cpu", compute_type="int8", intra_threads=1, inter_threads=at_once
        )

    def transcribe(self, sound: Sound, language: str, beat: Callable[[], None]) -> list[SpeechSegment]:
        """Transcribe at most 30 s of sound in this language. Raises UnknownLanguage, and whatever `beat` raises."""
        beat()
        return [self._hear(sound, language, (), WHOLE_SECONDS, False).segment]

    def hear(self, sound: Sound, language: str, said: Sequence[Word], *, ask_language: bool = False) -> Heard:
        """Hear what follows the words that are certain. Where it repeats itself or these, it hears once more with all
        of the context that there can be, which ends most loops. Raises UnknownLanguage."""
        least = SHORTER_SECONDS.get(language, SHORT_SECONDS)
        seconds = min(WHOLE_SECONDS, max(least, len(sound) / RATE + MORE_SECONDS))
        heard = self._hear(sound, language, said, seconds, ask_language)
        if seconds < WHOLE_SECONDS and is_new_loop(said, heard.words, len(sound) / RATE):
            heard = self._hear(sound, language, said, WHOLE_SECONDS, ask_language)
        return replace(heard, words=without_echoes(said, heard.words))

    def _hear(self, sound: Sound, language: str, said: Sequence[Word], seconds: float, ask_language: bool) -> Heard:
        if not self._multilingual and language != "en":
            raise UnknownLanguage(f"WHISPER_MODEL={self.model} knows English only, not “{language}”")
        tokenizer = tokenizer_of(self._multilingual, self._model.num_languages, language)
        encoded = self._encoded(sound, seconds)
        given = tokenizer.encode("".join(word.text for word in said)) if said else []
        start = list(tokenizer.sot_sequence_including_notimestamps)
        result = self._model.generate(
            encoded,
            [[*start, *given]],
            beam_size=1,
            max_length=min(440, len(start) + len(given) + 12 + round(_TOKENS * len(sound) / RATE)),
            return_scores=True,
            return_no_speech_prob=True,
        )[0]
        tokens = [token for token in result.sequences_ids[0] if token < tokenizer.eot]
        if given and tokens[: len(given)] == given:  # CTranslate2 may return what it was given
            tokens = tokens[len(given) :]
        words = self._words(tokenizer, encoded, given, tokens, len(sound)) if tokens else ()
        heard, sure = self._language(encoded) if ask_language and self._multilingual else ("", 0.0)
        return Heard(words, float(result.no_speech_prob), float(result.scores[0]), heard, sure)

    def _encoded(self, sound: Sound, seconds: float) -> Any:
        mel = log_mel(sound, seconds, self._model.n_mels)
        return self._model.encode(self._storage.from_array(np.ascontiguousarray(mel[None])))

    def _language(self, encoded: Any) -> tuple[str, float]:
        """Return the likeliest language and its probability."""
        token, sure = self._model.detect_language(encoded)[0][0]
        return token.strip("<|>"), float(sure)

    def _words(
        self, tokenizer: Any, encoded: Any, given: list[int], tokens: list[int], samples: int
    ) -> tuple[Word, ...]:
        """Place the new tokens' words in time, by which sound the network attended to at each."""
        aligned = self._model.align(
            encoded, list(tokenizer.sot_sequence), [[*given, *tokens]], samples * _FRAMES // RATE
        )[0]
        steps = np.array(aligned.alignments, dtype=np.int64).reshape(-1, 2)
        jumps = np.diff(steps[:, 0], prepend=-1) > 0
        times = steps[jumps, 1] * _PER_TOKEN  # of each token, given ones first
        texts, parts = tokenizer.split_to_word_tokens([*tokens, tokenizer.eot])
        if not len(times):  # of sound that is hardly any
            return ()
        words, at = [], len(given)
        for text, part in zip(texts[:-1], parts[:-1], strict=True):
            end = at + len(part)
            start_ms = round(times[min(at, len(times) - 1)])
            end_ms = round(times[min(end, len(times) - 1)])
            p = float(np.mean(aligned.text_token_probs[at:end] or [0.0]))
            words.append(Word(text, start_ms, max(end_ms, start_ms), round(p, 3)))
            at = end
        return with_punctuation(words)


class SlowEngine:
    """Whisper itself as a live engine: it hears the words that are certain again, which are left out by their time."""

    at_once = 1  # on all threads
    patience = settings.SPEECH_WINDOW_SECONDS + 30.0  # it gives up by itself before

    def __init__(self, by: Engine) -> None:
        self._engine, self.model, self.version = by, by.model, by.version

    def hear(self, sound: Sound, language: str, said: Sequence[Word], *, ask_language: bool = False) -> Heard:
        """Hear what follows the words that are certain. Raises UnknownLanguage, TookTooLong."""
        segments = self._engine.transcribe(sound, language, lambda: None)
        words = [word for segment in segments for word in segment.words]
        after = said[-1].end_ms if said else 0
        new = [word for word in words if (word.start_ms + word.end_ms) / 2 > after]
        no_speech = max((segment.no_speech for segment in segments), default=1.0)
        logprob = min((segment.logprob for segment in segments), default=-9.0)
        return Heard(tuple(new), no_speech, logprob)


def live_engine() -> LiveEngine:
    """Load the live engine of this installation. Raises EngineUnavailable."""
    name, folder = settings.WHISPER_MODEL, settings.WHISPER_MODEL_DIR
    try:
        return FastEngine(name, folder, settings.CAPTIONS_THREADS)
    except EngineUnavailable:
        raise
    except (ImportError, OSError, RuntimeError, ValueError) as error:
        log.warning("CTranslate2 does not run here, captions are made by Whisper itself: %s", error)
    from transcripts.speech.whisper_engine import whisper_engine  # imports torch

    return SlowEngine(whisper_engine(name, folder, settings.CAPTIONS_THREADS, settings.SPEECH_WINDOW_SECONDS))
