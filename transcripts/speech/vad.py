"""Voice activity detection with the model of the silero-vad package, run on blocks instead of frames.

The package's own loop calls the model 31 times per second of sound. Here its feature layers run on a whole block, and
its LSTM cell over all frames in one call. The probabilities are the same to five digits (a test compares), in a
twentieth of the time: ten speakers' tracks of an hour are ten hours of sound.
"""

from collections.abc import Iterable, Iterator
from functools import cache
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import torch
from torch import nn

from transcripts.speech.audio import Sound

FRAME = 512  # samples, 32 ms
CONTEXT = 64  # samples of the previous frame that the model takes in front of a frame
SILENCE = 1e-4  # -80 dBFS: blocks below it (muted) are not given to the model
CELL = ("weight_ih", "weight_hh", "bias_ih", "bias_hh")


@cache
def _model() -> torch.nn.Module:
    """Load the model, once per process. The package is not imported: that would set torch to one thread."""
    package = find_spec("silero_vad")
    if package is None or package.origin is None:
        raise ModuleNotFoundError("silero_vad is not installed: pip install -r requirements.txt")
    path = Path(package.origin).parent / "data" / "silero_vad.jit"
    loaded: torch.nn.Module = torch.jit.load(path)._model  # type: ignore[no-untyped-call]
    return loaded.eval()


@cache
def _cell() -> nn.LSTM:
    """Build an LSTM layer, which takes many frames at once, with the weights of the model's LSTM cell."""
    weights = _model().state_dict()
    cell = nn.LSTM(128, 128, batch_first=True)
    cell.load_state_dict({f"{name}_l0": weights[f"decoder.rnn.{name}"] for name in CELL})
    return cell.eval()


class Detector:
    """Detection in sound that comes in pieces of whole frames."""

    def __init__(self) -> None:
        self._state: tuple[torch.Tensor, torch.Tensor] | None = None
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


@torch.inference_mode()
def _frame_probabilities(
    sound: Sound, state: tuple[torch.Tensor, torch.Tensor] | None
) -> tuple[list[float], tuple[torch.Tensor, torch.Tensor]]:
    model = _model()
    frames = torch.from_numpy(sound).unfold(0, CONTEXT + FRAME, FRAME)
    features = model.encoder(model.run_extractors(frames))  # type: ignore[operator]
    remembered, state = _cell()(features.squeeze(-1).unsqueeze(0), state)
    spoken = model.decoder.decoder(remembered.squeeze(0).unsqueeze(-1))  # type: ignore[operator,union-attr]
    return spoken.reshape(-1).tolist(), state
