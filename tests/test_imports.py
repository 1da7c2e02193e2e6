"""Modules do not count on others having been imported before them."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


def test_every_module_can_be_the_first_that_is_imported() -> None:
    command = [sys.executable, "-m", "tests.support.import_first"]
    run = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=600)
    assert run.returncode == 0, run.stderr[-4000:]
    assert run.stdout.split() == [], run.stderr[-4000:]
