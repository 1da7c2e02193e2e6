"""The interface of a speech recognizer, and how one fails. What implements it takes seconds to load, where needed."""

from collections.abc import Callable
from typing import Protocol

from django.conf import settings

from transcripts.speech.audio import Sound
from transcripts.speech.stitch import SpeechSegment

Beat = Callable[[], None]


class Engine(Protocol):
    """Interface of a speech recognizer. `transcribe` calls `beat` at every step; its exceptions end the work."""

    model: str
    version: str

    def transcribe(self, sound: Sound, language: str, beat: Beat) -> list[SpeechSegment]: ...


class EngineUnavailable(Exception):
    """No engine can be loaded; the message says what the operator has to do."""


class UnknownLanguage(Exception):
    """The model does not support the room's language: its output would be invented."""


class TookTooLong(Exception):
    """A window took longer than SPEECH_WINDOW_SECONDS."""


def engine() -> Engine:
    """Get the engine of this installation, loaded once per process. Raises EngineUnavailable."""
    from transcripts.speech.whisper_engine import whisper_engine  # imports torch

    return whisper_engine(
        settings.WHISPER_MODEL, settings.WHISPER_MODEL_DIR, settings.WHISPER_THREADS, settings.SPEECH_WINDOW_SECONDS
    )
