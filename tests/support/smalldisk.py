"""A disk so small that a test can fill it: a file system of its own, mounted where recordings go."""

from __future__ import annotations

import os
import shutil
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from tests.support.root import as_root

MB = 1024 * 1024


class SmallDisk:
    """`folder` is its root; ballast fills it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.ballast = folder / "ballast"

    @property
    def free(self) -> int:
        """Bytes."""
        return shutil.disk_usage(self.folder).free

    def leave(self, free: int) -> None:
        """Fill it until so many bytes are free; with 0 until nothing goes on to it any more."""
        with self.ballast.open("ab", buffering=0) as file:
            try:
                while self.free > free:
                    file.write(b"\xff" * min(MB, self.free - free))
            except OSError:
                assert free == 0, "it is full already"

    def empty(self) -> None:
        """Take the ballast away."""
        self.ballast.unlink()

    def read_only(self, so: bool) -> None:
        """As a disk with errors turns; and back again."""
        as_root("mount", "-o", f"remount,{'ro' if so else 'rw'}", str(self.folder))


@contextmanager
def small_disk(folder: Path, size_mb: int) -> Generator[SmallDisk]:
    """Mount it over an empty folder. It needs the right to: root's, or sudo without a question."""
    folder.mkdir(parents=True, exist_ok=True)
    options = f"size={size_mb}m,mode=0750,uid={os.geteuid()},gid={os.getegid()}"
    as_root("mount", "-t", "tmpfs", "-o", options, "stamtafel-test", str(folder))
    try:
        yield SmallDisk(folder)
    finally:
        as_root("umount", "--lazy", str(folder))
