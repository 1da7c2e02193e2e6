"""Benches still run: each can say what it takes, and the one that writes rows by itself knows the tables."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PARTS = {"bare", "listeners", "sounding", "textbook", "unjoined", "wire"}  # of other benches
BENCHES = sorted(path.stem for path in (ROOT / "bench").glob("*.py") if path.stem not in PARTS)


def run(name: str, *words: str) -> str:
    line = [sys.executable, str(ROOT / "bench" / f"{name}.py"), *words]
    done = subprocess.run(line, capture_output=True, text=True, cwd=ROOT, timeout=300)
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-4000:]
    return done.stdout


@pytest.mark.parametrize("name", BENCHES)
def test_it_says_what_it_takes_and_the_page_says_what_it_found(name: str) -> None:
    assert "usage:" in run(name, "--help")
    assert f"`{name}.py" in (ROOT / "bench" / "README.md").read_text()


def test_few_listeners_of_a_host() -> None:
    said = run("host_act", "--listeners", "10", "--acts", "2", "--rounds", "1", "--pace", "0.2", "--idle", "1")
    for kind in ("mute", "set_speak_policy", "let_up"):
        assert re.search(rf"^{kind} +p50 [\d.]+ ms, bare [\d.]+ ms; p99 [\d.]+ ms", said, re.M)
    for cost in ("a delivery", "an act"):
        assert re.search(rf"^{cost}: ours [\d.]+ µs / bare [\d.]+ µs", said, re.M)
    assert re.findall(r" ms +(\d+)$", said, re.M) == ["0", "0"], "nothing is missing"


def test_a_few_invitations() -> None:
    said = run("invitations", "--people", "5", "--rounds", "1")
    assert re.search(r"^invite / one by one +[\d.]+", said, re.M)


def test_a_small_purge() -> None:
    said = run("purge", "--rooms", "300", "--due", "20", "--held", "20", "--files", "2")
    assert re.search(r"purge / DELETE and remove +\d", said)


def test_the_page_of_capacity_has_what_is_computed() -> None:
    assert run("capacity").strip() in (ROOT / "docs" / "subsystems" / "capacity.md").read_text()
