"""Parts of the whisper package that need no torch: its tokenizer, and the spectrogram that its networks take.

The package itself imports torch and numba, which takes seconds and 300 MB; a process that was killed has to hear again
within seconds.
"""

from __future__ import annotations

import sys
from functools import cache
from importlib.util import find_spec, module_from_spec, spec_from_file_location
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from transcripts.speech.audio import RATE, Sound

Floats = npt.NDArray[np.float32]
_LENGTH, _HOP = 400, 160  # samples of a frame of the spectrogram, and from one to the next
_LEAST = -10.0  # the least power, as its logarithm
_RANGE = 8.0  # powers of ten that are told apart


def folder() -> Path:
    """Return where the package is installed."""
    package = find_spec("whisper")
    if package is None or package.origin is None:
        raise ModuleNotFoundError("whisper is not installed: pip install -r requirements.txt")
    return Path(package.origin).parent


@cache
def _tokenizers() -> Any:
    """Load the package's module of tokenizers by itself."""
    name = "whisper_tokenizer_alone"
    spec = spec_from_file_location(name, folder() / "tokenizer.py")
    assert spec is not None and spec.loader is not None
    module = module_from_spec(spec)
    sys.modules[name] = module  # its dataclasses look themselves up
    spec.loader.exec_module(module)
    return module


def tokenizer_of(multilingual: bool, languages: int, language: str) -> Any:
    """Return the tokenizer of a model for transcription in a language, kept once made."""
    return _tokenizers().get_tokenizer(multilingual, num_languages=languages, language=language, task="transcribe")


@cache
def _filters(n_mels: int) -> Floats:
    with np.load(folder() / "assets" / "mel_filters.npz", allow_pickle=False) as file:
        return np.asarray(file[f"mel_{n_mels}"], np.float32)


def log_mel(sound: Sound, seconds: float, n_mels: int) -> Floats:
    """Return the spectrogram of sound with silence behind it, as long as that is together: (n_mels, frames)."""
    whole, count = round(seconds * RATE), round(seconds * RATE) // _HOP
    # What comes behind the sound is silence, whose frames are known: only so much of it is computed.
    computed = min(whole, len(sound) + 2 * _LENGTH)
    heard = np.zeros(computed, np.float32)
    heard[: len(sound)] = sound[:computed]
    framed = np.lib.stride_tricks.sliding_window_view(np.pad(heard, _LENGTH // 2, mode="reflect"), _LENGTH)
    frames = framed[::_HOP][:count]
    window = np.hanning(_LENGTH + 1)[:-1].astype(np.float32)
    power = np.abs(np.fft.rfft(frames * window, axis=1)) ** 2
    found = np.full((n_mels, count), _LEAST, np.float32)
    found[:, : len(frames)] = np.log10(np.maximum(_filters(n_mels) @ power.T.astype(np.float32), 10**_LEAST))
    return np.asarray((np.maximum(found, found.max() - _RANGE) + 4) / 4, np.float32)
