"""Conversion of Whisper's official weights to CTranslate2's: the same network, with matrices of 8-bit numbers."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
import whisper
from ctranslate2.specs import whisper_spec
from whisper.tokenizer import get_tokenizer

from transcripts.speech.whisper_engine import check_weights, weights_file

__all__ = ["check_weights", "convert", "weights_file"]

Tensors = dict[str, Any]


def convert(weights: Path, target: Path) -> None:
    """Write a model in CTranslate2's format into an empty folder."""
    saved = torch.load(weights, map_location="cpu", weights_only=True)
    tensors = {name: tensor.float().numpy() for name, tensor in saved["model_state_dict"].items()}
    dims = saved["dims"]
    spec = whisper_spec.WhisperSpec(
        dims["n_audio_layer"], dims["n_audio_head"], dims["n_text_layer"], dims["n_text_head"]
    )
    _set_encoder(spec.encoder, tensors)
    _set_decoder(spec.decoder, tensors)
    multilingual = dims["n_vocab"] >= 51865
    tokenizer = get_tokenizer(multilingual, num_languages=dims["n_vocab"] - 51765 - int(multilingual))
    spec.register_vocabulary(_vocabulary(tokenizer, dims["n_vocab"]))
    _set_config(spec.config, tokenizer, weights.stem, dims)
    spec.validate()
    spec.optimize(quantization="int8")
    spec.save(str(target))
    target.chmod(0o755)


def _set_encoder(spec: Any, tensors: Tensors) -> None:
    for name in ("conv1", "conv2"):
        getattr(spec, name).weight = tensors[f"encoder.{name}.weight"]
        getattr(spec, name).bias = tensors[f"encoder.{name}.bias"]
    spec.position_encodings.encodings = tensors["encoder.positional_embedding"]
    _set_norm(spec.layer_norm, tensors, "encoder.ln_post")
    for number, layer in enumerate(spec.layer):
        _set_layer(layer, tensors, f"encoder.blocks.{number}")


def _set_decoder(spec: Any, tensors: Tensors) -> None:
    spec.embeddings.weight = tensors["decoder.token_embedding.weight"]
    spec.projection.weight = tensors["decoder.token_embedding.weight"]
    spec.position_encodings.encodings = tensors["decoder.positional_embedding"]
    _set_norm(spec.layer_norm, tensors, "decoder.ln")
    for number, layer in enumerate(spec.layer):
        block = f"decoder.blocks.{number}"
        _set_layer(layer, tensors, block)
        _set_norm(layer.attention.layer_norm, tensors, f"{block}.cross_attn_ln")
        cross = layer.attention.linear
        _join(cross[0], tensors, f"{block}.cross_attn", ["query"])
        _join(cross[1], tensors, f"{block}.cross_attn", ["key", "value"])
        _join(cross[2], tensors, f"{block}.cross_attn", ["out"])


def _set_layer(layer: Any, tensors: Tensors, block: str) -> None:
    """Set what layers of encoder and decoder have in common: attention to itself, and the two linear maps."""
    _set_norm(layer.self_attention.layer_norm, tensors, f"{block}.attn_ln")
    _join(layer.self_attention.linear[0], tensors, f"{block}.attn", ["query", "key", "value"])
    _join(layer.self_attention.linear[1], tensors, f"{block}.attn", ["out"])
    _set_norm(layer.ffn.layer_norm, tensors, f"{block}.mlp_ln")
    _join(layer.ffn.linear_0, tensors, f"{block}.mlp", ["0"])
    _join(layer.ffn.linear_1, tensors, f"{block}.mlp", ["2"])


def _set_norm(spec: Any, tensors: Tensors, name: str) -> None:
    spec.gamma, spec.beta = tensors[f"{name}.weight"], tensors[f"{name}.bias"]


def _join(spec: Any, tensors: Tensors, name: str, parts: Sequence[str]) -> None:
    """Set one linear map out of several; keys have no bias, where the joined map has zeros."""
    weights = [tensors[f"{name}.{part}.weight"] for part in parts]
    zeros = np.zeros(len(weights[0]), np.float32)
    spec.weight = np.concatenate(weights)
    spec.bias = np.concatenate([tensors.get(f"{name}.{part}.bias", zeros) for part in parts])


def _vocabulary(tokenizer: Any, size: int) -> list[str]:
    """Return a name for each token, special ones by their own, others by their bytes as GPT-2 spells them: CTranslate2
    looks some of both up."""
    special = {number: text for text, number in tokenizer.encoding._special_tokens.items()}
    plain = [*range(33, 127), *range(161, 173), *range(174, 256)]  # bytes that are spelled as themselves
    others = [byte for byte in range(256) if byte not in plain]
    spelled = {byte: chr(byte) for byte in plain} | {byte: chr(256 + place) for place, byte in enumerate(others)}

    def name(number: int) -> str:
        return "".join(spelled[byte] for byte in tokenizer.encoding.decode_single_token_bytes(number))

    return [special.get(number) or name(number) for number in range(size)]


def _set_config(config: Any, tokenizer: Any, name: str, dims: dict[str, int]) -> None:
    silent = (tokenizer.transcribe, tokenizer.translate, tokenizer.sot, tokenizer.sot_prev, tokenizer.sot_lm)
    config.suppress_ids = sorted({*tokenizer.non_speech_tokens, *silent, tokenizer.no_speech})
    config.suppress_ids_begin = [*tokenizer.encoding.encode(" "), tokenizer.eot]
    config.lang_ids = sorted(tokenizer.all_language_tokens)
    config.alignment_heads = _alignment_heads(name, dims)


def _alignment_heads(name: str, dims: dict[str, int]) -> list[list[int]]:
    """Return the heads whose attention follows the sound, as (layer, head), from Whisper's own table."""
    model = whisper.model.Whisper.__new__(whisper.model.Whisper)
    torch.nn.Module.__init__(model)
    model.dims = whisper.model.ModelDimensions(**dims)
    model.set_alignment_heads(whisper._ALIGNMENT_HEADS[name])
    found: list[list[int]] = model.alignment_heads.coalesce().indices().T.tolist()
    return found
