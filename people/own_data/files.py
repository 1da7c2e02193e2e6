"""Folder and names of the files of own-data downloads, and the disk they lie on."""

from __future__ import annotations

import errno
import shutil
from pathlib import Path

from django.conf import settings

MB = 1024 * 1024
UNFINISHED = ".part"
_FULL = frozenset({errno.ENOSPC, errno.EDQUOT})


class NoSpace(RuntimeError):
    """The disk is too full now: the download is made later."""


def folder() -> Path:
    """Return the folder of all downloads, which is made where it is missing; nobody else may read it."""
    path = Path(settings.OWN_DATA_DIR)
    path.mkdir(mode=0o700, parents=True, exist_ok=True)
    return path


def path_of(file: str) -> Path:
    """Return the path of a finished download, by `DataExport.file`."""
    return Path(settings.OWN_DATA_DIR) / file


def unfinished(file: str) -> Path:
    """Return the path under which a download is written."""
    return path_of(file + UNFINISHED)


def remove(file: str) -> None:
    """Delete a download, also one that is being written. Ignores what is not there; raises OSError for the rest."""
    if file:
        for path in (path_of(file), unfinished(file)):
            path.unlink(missing_ok=True)


def check_space(needed: int) -> None:
    """Raise NoSpace unless so many bytes can be written and RECORDINGS_RESERVE_MB stay free: live rooms and the
    database may write to the same disk."""
    free = shutil.disk_usage(folder()).free
    if free - needed < settings.RECORDINGS_RESERVE_MB * MB:
        raise NoSpace(f"{free // MB} MB free, {needed // MB} MB needed beyond the reserve")


def is_full(error: BaseException) -> bool:
    """Whether an error comes from a full disk or a used-up quota."""
    return isinstance(error, NoSpace) or (isinstance(error, OSError) and error.errno in _FULL)
