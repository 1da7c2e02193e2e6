"""Voice activity detection with the model of the silero-vad package, computed here on blocks instead of frames.

The package's own loop calls the model 31 times per second of sound. Here its layers take a whole block, and only what a
frame leaves to the next one is computed frame by frame. The probabilities are the same to five digits (a test
compares), in a twentieth of the time: ten speakers' tracks of an hour are ten hours of sound. Nothing is needed for it
but numpy: torch takes 300 MB, and seconds to load.
"""

import io
import math
import pickle
import zipfile
from collections.abc import Iterable, Iterator
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from transcripts.speech.audio import Sound

FRAME = 512  # samples, 32 ms
CONTEXT = 64  # samples of the previous frame that the model takes in front of a frame
AFTER = 64  # samples behind a frame, its own mirrored
SILENCE = 1e-4  # -80 dBFS: blocks below it (muted) are not given to the model
WINDOW, HOP = 256, 128  # samples of the model's spectrogram
KERNEL = 3  # of its convolutions, each with one zero on either side
STRIDES = {"conv1": 1, "conv2": 2, "conv3": 2, "conv4": 1}
UNITS = 128  # that remember

Floats = npt.NDArray[np.float32]
State = tuple[Floats, Floats]


class _Reader(pickle.Unpickler):
    """Reads a model that torch saved, as far as its numbers go: modules become empty objects with their attributes."""

    def __init__(self, archive: zipfile.ZipFile) -> None:
        root = archive.namelist()[0].partition("/")[0]
        self._archive, self._root = archive, root
        super().__init__(io.BytesIO(archive.read(f"{root}/data.pkl")))

    def find_class(self, module: str, name: str) -> Any:
        if name == "_rebuild_tensor_v2":
            return lambda numbers, start, size, *_more: numbers[start : start + math.prod(size)].reshape(size)
        if name == "OrderedDict":
            return dict
        return list if name == "build_intlist" else type(name, (), {})

    def persistent_load(self, pid: tuple[Any, ...]) -> Floats:
        return np.frombuffer(self._archive.read(f"{self._root}/data/{pid[2]}"), "<f4")


@cache
def _weights() -> dict[str, Floats]:
    """Load the model's weights by name, once per process. The package is not imported, as it imports torch."""
    package = find_spec("silero_vad")
    if package is None or package.origin is None:
        raise ModuleNotFoundError("silero_vad is not installed: pip install -r requirements.txt")
    with zipfile.ZipFile(Path(package.origin).parent / "data" / "silero_vad.jit") as archive:
        model = _Reader(archive).load()._model
    steps = {name: getattr(model.encoder, str(place)).reparam_conv for place, name in enumerate(STRIDES)}
    steps["spoken"] = getattr(model.decoder.decoder, "2")
    cell = model.decoder.rnn
    return {
        "stft": model.stft.forward_basis_buffer,
        **{f"{name}.{part}": getattr(step, part) for name, step in steps.items() for part in ("weight", "bias")},
        **{name: getattr(cell, name) for name in ("weight_ih", "weight_hh", "bias_ih", "bias_hh")},
    }


@cache
def _kernel(name: str) -> Floats:
    """Return a convolution's weights as one matrix: (positions and inputs, outputs)."""
    weights = _weights()[f"{name}.weight"]
    return np.ascontiguousarray(weights.transpose(2, 1, 0).reshape(-1, len(weights)))


@cache
def _cell() -> tuple[Floats, Floats, Floats]:
    """Return the weights of the cell that remembers: of its input, of what it remembers, and its bias."""
    weights = _weights()
    given, kept = (np.ascontiguousarray(weights[f"weight_{part}"].T) for part in ("ih", "hh"))
    return given, kept, weights["bias_ih"] + weights["bias_hh"]


class Detector:
    """Detection in sound that comes in pieces of whole frames."""

    def __init__(self) -> None:
        self._state: State | None = None
        self._context = np.zeros(CONTEXT, np.float32)

    def feed(self, block: Sound) -> list[float]:
        """Return the probability of speech (0 to 1) for each frame of 32 ms."""
        if float(np.abs(block).max()) < SILENCE:
            self._state, self._context = None, np.zeros(CONTEXT, np.float32)
            return [0.0] * (len(block) // FRAME)
        values, self._state = _frame_probabilities(np.concatenate([self._context, block]), self._state)
        self._context = block[-CONTEXT:]
        return values


def probabilities(blocks: Iterable[Sound]) -> Iterator[float]:
    """Yield the probability of speech (0 to 1) for each frame of 32 ms; the last frame is padded with silence."""
    detector = Detector()
    for block in _whole_frames(blocks):
        yield from detector.feed(block)


def _whole_frames(blocks: Iterable[Sound]) -> Iterator[Sound]:
    """Yield the same sound in blocks of whole frames; blocks may come in with any length."""
    rest = np.zeros(0, np.float32)
    for block in blocks:
        joined = np.concatenate([rest, block])
        whole = len(joined) // FRAME * FRAME
        rest = joined[whole:]
        if whole:
            yield joined[:whole]
    if len(rest):
        yield np.pad(rest, (0, FRAME - len(rest)))


def _frame_probabilities(sound: Sound, state: State | None) -> tuple[list[float], State]:
    remembered, state = _remembered(
        _features(sound), state or (np.zeros(UNITS, np.float32), np.zeros(UNITS, np.float32))
    )
    weights = _weights()
    spoken = np.maximum(remembered, 0) @ weights["spoken.weight"][0, :, 0] + weights["spoken.bias"]
    values: list[float] = _sigmoid(spoken).tolist()
    return values, state


def _features(sound: Sound) -> Floats:
    """Return what the model sees in each frame: (frames, UNITS)."""
    frames = np.lib.stride_tricks.sliding_window_view(sound, CONTEXT + FRAME)[::FRAME]
    frames = np.concatenate([frames, frames[:, -2 : -2 - AFTER : -1]], axis=1)
    windows = np.lib.stride_tricks.sliding_window_view(frames, WINDOW, axis=1)[:, ::HOP]
    waves = windows @ _weights()["stft"][:, 0].T
    half = waves.shape[2] // 2
    seen: Floats = np.sqrt(waves[..., :half] ** 2 + waves[..., half:] ** 2)
    for name, stride in STRIDES.items():
        seen = _convolved(seen, name, stride)
    return seen[:, 0]


def _convolved(seen: Floats, name: str, stride: int) -> Floats:
    """Convolve (frames, times, inputs) along their times, and cut off what is negative."""
    padded = np.pad(seen, ((0, 0), (1, 1), (0, 0)))
    starts = range(0, padded.shape[1] - KERNEL + 1, stride)
    parts = np.stack([padded[:, at : at + KERNEL].reshape(len(seen), -1) for at in starts], axis=1)
    summed: Floats = parts @ _kernel(name) + _weights()[f"{name}.bias"]
    return np.maximum(summed, 0)


def _remembered(features: Floats, state: State) -> tuple[Floats, State]:
    """Run the cell over all frames: each goes by what it remembers of those before it."""
    given, kept, bias = _cell()
    inputs = features @ given + bias
    hidden, memory = state
    found = np.empty_like(features)
    for place, each in enumerate(inputs):
        gates = each + hidden @ kept
        new = np.tanh(gates[2 * UNITS : 3 * UNITS])
        opened = _sigmoid(gates)
        memory = opened[UNITS : 2 * UNITS] * memory + opened[:UNITS] * new
        hidden = opened[3 * UNITS :] * np.tanh(memory)
        found[place] = hidden
    return found, (hidden, memory)


def _sigmoid(values: Floats) -> Floats:
    return np.asarray(0.5 + 0.5 * np.tanh(0.5 * values), np.float32)
