"""Whether there is room on the disk to finish a recording. What is finished must not take what live rooms need."""

from __future__ import annotations

import errno
import os
from pathlib import Path

from django.conf import settings

MB = 1024 * 1024
_COPIES = 2  # of what was recorded: put together, and joined
_FULL = frozenset({errno.ENOSPC, errno.EDQUOT})


class NoRoom(RuntimeError):
    """There is no room now. Nothing is lost: it is tried again."""


def need(folder: Path) -> None:
    """Raise NoRoom unless a room's files can be made and the reserve (RECORDINGS_RESERVE_MB) stays free."""
    size = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
    if _free() - _COPIES * size < settings.RECORDINGS_RESERVE_MB * MB:
        raise NoRoom(f"{_free() // MB} MB free, {_COPIES * size // MB} MB needed beyond the reserve")


def check() -> None:
    """Raise NoRoom when the disk is full: not every program tells that it could not write."""
    if _free() < MB:
        raise NoRoom("the disk became full")


def is_full(error: BaseException) -> bool:
    """Whether this is what a full disk, or a used up quota, does."""
    return isinstance(error, NoRoom) or (isinstance(error, OSError) and error.errno in _FULL)


def _free() -> int:
    found = os.statvfs(settings.RECORDINGS_DIR)
    return found.f_bavail * found.f_frsize
