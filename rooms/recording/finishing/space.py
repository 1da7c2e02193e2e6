"""Free space on the disk of recordings. Finishing recordings must not use up the space that live rooms need."""

from __future__ import annotations

import errno
import os
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from django.conf import settings

from rooms.recording import marker

MB = 1024 * 1024
_COPIES = 2  # of the recorded files: concatenated, and joined
_FULL = frozenset({errno.ENOSPC, errno.EDQUOT})
_TRIAL = b"\0" * 4096


class NoSpace(RuntimeError):
    """The disk is too full now. Nothing is lost: the work is tried again later."""


@dataclass(frozen=True)
class Space:
    """Free bytes of a folder's disk, and the reason why a trial write failed ("" when it worked)."""

    free: int
    trouble: str = ""


def measure(folder: Path) -> Space:
    """Measure free space with a trial write, which also detects quotas, used-up inodes and read-only disks.

    Where the disk was unmounted the folder lies on another disk with free space: then its marker is missing."""
    path = folder / ".space"
    try:
        stat = os.statvfs(folder)
        try:
            path.write_bytes(_TRIAL)
        finally:
            with suppress(FileNotFoundError):
                path.unlink()
    except OSError as error:
        return Space(0, error.strerror or type(error).__name__)
    if why := marker.changed(folder):
        return Space(0, why)
    return Space(stat.f_bavail * stat.f_frsize)


def check_enough(folder: Path) -> None:
    """Raise NoSpace unless the files of a room's folder can be finished and RECORDINGS_RESERVE_MB stay free."""
    size = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
    free = _free()
    if free - _COPIES * size < settings.RECORDINGS_RESERVE_MB * MB:
        raise NoSpace(f"{free // MB} MB free, {_COPIES * size // MB} MB needed beyond the reserve")


def check_reserve(needed: int) -> None:
    """Raise NoSpace unless so many bytes can be written and RECORDINGS_RESERVE_MB stay free."""
    free = _free()
    if free - needed < settings.RECORDINGS_RESERVE_MB * MB:
        raise NoSpace(f"{free // MB} MB free, {needed // MB} MB needed beyond the reserve")


def check() -> None:
    """Raise NoSpace when the disk is full: not every program reports failed writes."""
    if _free() < MB:
        raise NoSpace("the disk became full")


def is_full(error: BaseException) -> bool:
    """Whether an error comes from a full disk or a used-up quota."""
    return isinstance(error, NoSpace) or (isinstance(error, OSError) and error.errno in _FULL)


def _free() -> int:
    space = measure(Path(settings.RECORDINGS_DIR))
    if space.trouble:
        raise NoSpace(f"RECORDINGS_DIR: {space.trouble}")
    return space.free
