"""Commands that only root may run: mount disks, be somebody else. By sudo where tests run as another user."""

from __future__ import annotations

import os
import subprocess

import pytest

PREFIX: tuple[str, ...] = () if os.geteuid() == 0 else ("sudo", "-n")


def as_root(*command: str, given: str = "", cwd: str | None = None) -> str:
    """Run a command as root; returns its output. The test fails where that is not possible, or where it fails."""
    line = (*PREFIX, *command)
    try:
        done = subprocess.run(line, input=given, text=True, capture_output=True, check=False, timeout=60, cwd=cwd)
        trouble = done.stderr.strip() or f"status {done.returncode}" if done.returncode else ""
    except FileNotFoundError as error:
        trouble = str(error)
    if trouble:
        pytest.fail(f"{' '.join(line)[:200]}: {trouble}: run this test as root, or let sudo do it without a question")
    return done.stdout
