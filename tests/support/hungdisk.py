"""A disk that hangs for everybody who touches it: another folder, passed through by a process that can be stopped.

While it is stopped every open, stat, mkdir, read and write below waits, in our processes as in Janus and ffmpeg. It
needs FUSE and the right to mount; where either is missing the test fails and says so.
"""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.support.root import PREFIX, as_root
from tests.support.waiting import wait_until


class HungDisk:
    """The folder, and what it does."""

    def __init__(self, folder: Path, behind: Path, server: int, sudo: int) -> None:
        self.folder = folder
        self.behind = behind  # the same files, on a disk that answers
        self._server, self._sudo = str(server), str(sudo)  # processes; sudo stops with what it runs

    def hang(self) -> None:
        """Answer nobody any more."""
        as_root("kill", "-STOP", self._server)

    def answer(self) -> None:
        """Answer again, also what was asked meanwhile."""
        as_root("kill", "-CONT", self._server, self._sudo)


@contextmanager
def hung_disk(folder: Path) -> Iterator[HungDisk]:
    """Put one in the place of a folder. It answers until it is told to hang, and afterwards."""
    program = shutil.which("bindfs")
    if program is None or not Path("/dev/fuse").exists():
        pytest.fail("this test needs a disk that hangs: install bindfs (script/bootstrap --tests), and have /dev/fuse")
    behind = folder.with_name(f"{folder.name}-behind")
    for path in (folder, behind):
        path.mkdir(parents=True, exist_ok=True, mode=0o750)
    say_pid = ["sh", "-c", 'echo $$; exec "$0" "$@"']
    line = [*PREFIX, *say_pid, program, "-f", "-o", "nonempty", str(behind), str(folder)]
    server = subprocess.Popen(line, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert server.stdout is not None
    said = server.stdout.readline()
    try:
        _until_mounted(folder, server)
        yield HungDisk(folder, behind, int(said), server.pid)
    finally:
        if server.poll() is None:
            as_root("kill", "-KILL", said.decode().strip())  # whoever still waits for an answer gets an error
            subprocess.run([*PREFIX, "kill", "-CONT", str(server.pid)], check=False, capture_output=True)
        server.wait()
        subprocess.run([*PREFIX, "umount", "--lazy", str(folder)], check=False, capture_output=True)
        shutil.rmtree(behind, ignore_errors=True)


def _until_mounted(folder: Path, server: subprocess.Popen[bytes]) -> None:
    wait_until(lambda: folder.is_mount() or server.poll() is not None, what="the mount", every=0.05)
    if not folder.is_mount():
        said = server.stderr.read().decode(errors="replace").strip() if server.stderr else ""
        pytest.fail(f"bindfs: {said}: this test mounts a disk of its own; run it as root")
