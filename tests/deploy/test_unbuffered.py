"""The library with which Janus writes tracks without a buffer; without a compiler everything works without it."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from deploy.local import janus

# Write three bytes, and say how many of them are in the file before it is closed.
WRITE = """
import ctypes, os, sys
c = ctypes.CDLL(None)
for name in ("fopen", "fopen64"):
    opened = getattr(c, name)
    opened.restype = ctypes.c_void_p
    file = opened(sys.argv[1].encode(), b"wb")
    c.fwrite(b"abc", 1, 3, ctypes.c_void_p(file))
    print(os.stat(sys.argv[1]).st_size)
"""


def written(path: Path, library: Path | None) -> list[int]:
    env = {**os.environ, "LD_PRELOAD": str(library)} if library else dict(os.environ)
    done = subprocess.run([sys.executable, "-c", WRITE, str(path)], env=env, capture_output=True, text=True, check=True)
    return [int(line) for line in done.stdout.split()]


def test_tracks_and_nothing_else_are_on_the_disk_at_once(tmp_path: Path) -> None:
    library = tmp_path / "unbuffered.so"
    janus.build_unbuffered(library)
    made = library.stat().st_mtime_ns
    assert written(tmp_path / "a.mjr", library) == [3, 3]
    assert written(tmp_path / "a.txt", library) == [0, 0] == written(tmp_path / "b.mjr", None)
    janus.build_unbuffered(library)
    assert library.stat().st_mtime_ns == made, "it is built once"


def test_without_a_compiler_there_is_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(shutil, "which", lambda _name: None)
    janus.build_unbuffered(tmp_path / "unbuffered.so")
    assert not (tmp_path / "unbuffered.so").exists()
    monkeypatch.setattr(shutil, "which", lambda _name: "/bin/false")
    janus.build_unbuffered(tmp_path / "unbuffered.so")
    assert not (tmp_path / "unbuffered.so").exists()
    assert "captions come later" in capsys.readouterr().err
