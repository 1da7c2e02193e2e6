"""Live HLS segments in memory, WINDOW_DIR/<room>, for listeners while nothing is recorded. None of it is kept.

Anybody may write to its usual place (/dev/shm), so a folder that others own or may write to is left alone.
"""

from __future__ import annotations

import logging
import os
import stat
import time
from collections.abc import Collection
from pathlib import Path

from django.conf import settings

from rooms.recording import store

log = logging.getLogger(__name__)

OLD = 60.0  # seconds after which segments are no longer fetched


def home() -> Path:
    """Return WINDOW_DIR, creating it if missing. Raises OSError unless only this user can write to it."""
    return own_folder(Path(settings.WINDOW_DIR))


def make(room_pk: int) -> None:
    """Create a room's folder. Raises OSError unless only this user can write to it."""
    home()
    own_folder(store.window_folder(room_pk))


def remove(room_pk: int) -> None:
    """Remove a room's folder, if there is one. Raises OSError when that fails."""
    folder = store.window_folder(room_pk)
    if is_ours(Path(settings.WINDOW_DIR)) and is_ours(folder):
        store.remove_folder(folder)


def sweep(live: Collection[int], paused: Collection[int]) -> None:
    """Remove folders of rooms that have ended, and old folders of live rooms that are recorded again (not `paused`).

    `live` and `paused` come from the database: Redis may be empty after a restart, and run numbers continue from the
    files in these folders.
    """
    if not is_ours(Path(settings.WINDOW_DIR)):
        return
    for folder in Path(settings.WINDOW_DIR).iterdir():
        if folder.name.isdecimal() and is_ours(folder):
            room_pk = int(folder.name)
            try:
                # Writing a segment updates the modification time of its folder.
                if room_pk not in live or (room_pk not in paused and time.time() - folder.lstat().st_mtime > OLD):
                    store.remove_folder(folder)
            except OSError as error:
                log.warning("room %s: its sound stays in memory: %s", room_pk, error)


def own_folder(folder: Path) -> Path:
    """Return a folder in memory, creating it if missing. Raises OSError unless only this user can write to it."""
    folder.mkdir(mode=0o750, parents=True, exist_ok=True)
    if not is_ours(folder):
        raise PermissionError(f"WINDOW_DIR: {folder} is not a folder of ours alone")
    return folder


def is_ours(folder: Path) -> bool:
    """Whether a folder is no link, belongs to this user and is not writable for everybody."""
    try:
        info = folder.lstat()
    except OSError:
        return False
    return stat.S_ISDIR(info.st_mode) and info.st_uid == os.geteuid() and not info.st_mode & stat.S_IWOTH
