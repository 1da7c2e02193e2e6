"""Who-speaks-when, before Whisper: silero-vad, the model that its package carries, run on blocks instead of frames.

The package's own loop calls the model 31 times for a second of sound; here its feature layers run on a block at once
and its memory cell over the frames in one call. The probabilities are the same to five digits (a test compares), in a
twentieth of the time, which counts: ten speakers' tracks of an hour are ten hours to look through.
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
CONTEXT = 64  # samples of the frame before that the model sees too
SILENCE = 1e-4  # -80 dBFS: muted time, which needs no model
CELL = ("weight_ih", "weight_hh", "bias_ih", "bias_hh")


@cache
def _model() -> torch.nn.Module:
    """The model, once a process. Its file is read past its package, whose import would set torch to one thread."""
    package = find_spec("silero_vad")
    if package is None or package.origin is None:
        raise ModuleNotFoundError("silero_vad is not installed: pip install -r requirements.txt")
    path = Path(package.origin).parent / "data" / "silero_vad.jit"
    loaded: torch.nn.Module = torch.jit.load(path)._model  # type: ignore[no-untyped-call]
    return loaded.eval()


@cache
def _cell() -> nn.LSTM:
    """The model's memory cell, with its own weights, as a layer that takes many frames at once."""
    weights = _model().state_dict()
    cell = nn.LSTM(128, 128, batch_first=True)
    cell.load_state_dict({f"{name}_l0": weights[f"decoder.rnn.{name}"] for name in CELL})
    return cell.eval()


def probabilities(blocks: Iterable[Sound]) -> Iterator[float]:
    """The probability of speech for each 32 ms; a last frame that is not full is filled up with silence."""
    state: tuple[torch.Tensor, torch.Tensor] | None = None
    context = np.zeros(CONTEXT, np.float32)
    for block in _whole_frames(blocks):
        if float(np.abs(block).max()) < SILENCE:
            state, context = None, np.zeros(CONTEXT, np.float32)
            yield from [0.0] * (len(block) // FRAME)
            continue
        found, state = _hear(np.concatenate([context, block]), state)
        context = block[-CONTEXT:]
        yield from found


def _whole_frames(blocks: Iterable[Sound]) -> Iterator[Sound]:
    """The same sound in blocks of whole frames, whatever the lengths that came in."""
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
def _hear(
    sound: Sound, state: tuple[torch.Tensor, torch.Tensor] | None
) -> tuple[list[float], tuple[torch.Tensor, torch.Tensor]]:
    model = _model()
    frames = torch.from_numpy(sound).unfold(0, CONTEXT + FRAME, FRAME)
    features = model.encoder(model.run_extractors(frames))  # type: ignore[operator]
    remembered, state = _cell()(features.squeeze(-1).unsqueeze(0), state)
    spoken = model.decoder.decoder(remembered.squeeze(0).unsqueeze(-1))  # type: ignore[operator,union-attr]
    return spoken.reshape(-1).tolist(), state
