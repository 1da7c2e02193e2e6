"""A disk that hangs for everybody who touches it: another folder, passed through by a process that can be stopped.

While it is stopped every open, stat, mkdir, read and write below waits, in our processes as in Janus and ffmpeg. It
needs FUSE and the right to mount; where either is missing the test fails and says so.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest


class HungDisk:
    """The folder, and what it does."""

    def __init__(self, folder: Path, behind: Path, server: subprocess.Popen[bytes]) -> None:
        self.folder = folder
        self.behind = behind  # the same files, on a disk that answers
        self._server = server

    def hang(self) -> None:
        """Answer nobody any more."""
        self._server.send_signal(signal.SIGSTOP)

    def answer(self) -> None:
        """Answer again, also what was asked meanwhile."""
        self._server.send_signal(signal.SIGCONT)


@contextmanager
def hung_disk(folder: Path) -> Iterator[HungDisk]:
    """Put one in the place of a folder. It answers until it is told to hang, and afterwards."""
    program = shutil.which("bindfs")
    if program is None or not Path("/dev/fuse").exists():
        pytest.fail("this test needs a disk that hangs: install bindfs (script/bootstrap --tests), and have /dev/fuse")
    behind = folder.with_name(f"{folder.name}-behind")
    for path in (folder, behind):
        path.mkdir(parents=True, exist_ok=True, mode=0o750)
    server = subprocess.Popen([program, "-f", "-o", "nonempty", str(behind), str(folder)], stderr=subprocess.PIPE)
    try:
        _until_mounted(folder, server)
        yield HungDisk(folder, behind, server)
    finally:
        server.send_signal(signal.SIGCONT)
        server.kill()  # whoever still waits for an answer gets an error
        server.wait()
        as_root = [] if os.geteuid() == 0 else ["sudo", "-n"]
        subprocess.run([*as_root, "umount", "--lazy", str(folder)], check=False, capture_output=True)
        shutil.rmtree(behind, ignore_errors=True)


def _until_mounted(folder: Path, server: subprocess.Popen[bytes]) -> None:
    ends = time.monotonic() + 30
    while not folder.is_mount():
        if server.poll() is not None or time.monotonic() > ends:
            server.kill()
            said = server.stderr.read().decode(errors="replace").strip() if server.stderr else ""
            pytest.fail(f"bindfs: {said}: this test mounts a disk of its own; run it as root")
        time.sleep(0.05)
