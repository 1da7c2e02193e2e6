"""Only the official file is taken, and a missing one is told in words that help."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.weights import whisper_folder

ROOT = Path(__file__).resolve().parents[2]


def weights(folder: Path, *models: str, **env: str) -> "subprocess.CompletedProcess[str]":
    closed = {"PIP_NO_INDEX": "1", "PIP_FIND_LINKS": "", "https_proxy": "http://127.0.0.1:9"}
    return subprocess.run(
        [sys.executable, ROOT / "script/whisper_weights.py", *models],
        env={**os.environ, **closed, "WHISPER_MODEL_DIR": str(folder), **env},
        text=True,
        capture_output=True,
    )


def test_a_file_that_is_not_official_is_not_taken(tmp_path: Path) -> None:
    (tmp_path / "tiny.en.pt").write_bytes(b"not the weights")
    done = weights(tmp_path, "tiny.en")
    assert done.returncode == 1
    assert "is not the official file" in done.stderr
    assert "put the official\ntiny.en.pt into" in done.stderr
    assert "Everything works without them but transcripts and captions" in done.stderr


def test_a_file_supplied_by_hand_is_taken(tmp_path: Path) -> None:
    (tmp_path / "tiny.en.pt").symlink_to(whisper_folder() / "tiny.en.pt")
    done = weights(tmp_path, "tiny.en")
    assert (done.returncode, done.stderr) == (0, "")


def test_an_unknown_model_is_refused(tmp_path: Path) -> None:
    done = weights(tmp_path, "enormous")
    assert done.returncode == 1
    assert 'WHISPER_MODEL is "enormous": write one of' in done.stderr


@pytest.mark.parametrize("model", ["tiny.en", "base"])
def test_the_models_of_this_run_load(model: str) -> None:
    import whisper

    assert whisper.load_model(model, download_root=str(whisper_folder())).dims.n_mels == 80
