"""Room on the disk where recordings go. What is finished must not take what live rooms need."""

from __future__ import annotations

import errno
import os
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from django.conf import settings

from rooms.recording import marker

MB = 1024 * 1024
_COPIES = 2  # of what was recorded: put together, and joined
_FULL = frozenset({errno.ENOSPC, errno.EDQUOT})
_TRIAL = b"\0" * 4096


class NoRoom(RuntimeError):
    """There is no room now. Nothing is lost: it is tried again."""


@dataclass(frozen=True)
class Space:
    """One look: bytes that may still be written, and what a trial write failed with ("" when it worked)."""

    free: int
    trouble: str = ""


def measure(folder: Path) -> Space:
    """Look, and write a block: quotas, inodes and disks that turned read-only show only then. A disk that was taken
    away leaves another one in its place, with room on it: its marker is missing."""
    path = folder / ".space"
    try:
        found = os.statvfs(folder)
        try:
            path.write_bytes(_TRIAL)
        finally:
            with suppress(FileNotFoundError):
                path.unlink()
    except OSError as error:
        return Space(0, error.strerror or type(error).__name__)
    if why := marker.changed(folder):
        return Space(0, why)
    return Space(found.f_bavail * found.f_frsize)


def need(folder: Path) -> None:
    """Raise NoRoom unless a room's files can be made and the reserve (RECORDINGS_RESERVE_MB) stays free."""
    size = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
    free = _free()
    if free - _COPIES * size < settings.RECORDINGS_RESERVE_MB * MB:
        raise NoRoom(f"{free // MB} MB free, {_COPIES * size // MB} MB needed beyond the reserve")


def check() -> None:
    """Raise NoRoom when the disk is full: not every program tells that it could not write."""
    if _free() < MB:
        raise NoRoom("the disk became full")


def is_full(error: BaseException) -> bool:
    """Whether this is what a full disk, or a used up quota, does."""
    return isinstance(error, NoRoom) or (isinstance(error, OSError) and error.errno in _FULL)


def _free() -> int:
    found = measure(Path(settings.RECORDINGS_DIR))
    if found.trouble:
        raise NoRoom(f"RECORDINGS_DIR: {found.trouble}")
    return found.free
