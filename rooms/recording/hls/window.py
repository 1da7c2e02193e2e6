"""Sound in memory, WINDOW_DIR/<room>: what listeners by HLS hear while nothing is recorded. None of it is kept.

Everybody may write where it usually lies (/dev/shm), so what is not ours alone is neither written to nor emptied.
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

OLD = 60.0  # seconds after which nobody fetches a piece any more


def home() -> Path:
    """WINDOW_DIR, made where it is missing. Raises OSError unless it is a folder of ours alone."""
    return own_folder(Path(settings.WINDOW_DIR))


def make(room_pk: int) -> None:
    """A room's folder. Raises OSError unless it is ours alone."""
    home()
    own_folder(store.window_folder(room_pk))


def remove(room_pk: int) -> None:
    """A room's folder goes, at the latest with the room's other sound. Raises OSError when it does not."""
    folder = store.window_folder(room_pk)
    if is_ours(Path(settings.WINDOW_DIR)) and is_ours(folder):
        store.remove_folder(folder)


def sweep(live: Collection[int], paused: Collection[int]) -> None:
    """Remove what is left of rooms that are over, and of live ones that are recorded again (not `paused`).

    Who is still there is asked of the database, not of Redis: run numbers go on from what lies here.
    """
    if not is_ours(Path(settings.WINDOW_DIR)):
        return
    for folder in Path(settings.WINDOW_DIR).iterdir():
        if folder.name.isdecimal() and is_ours(folder):
            room_pk = int(folder.name)
            try:
                # Each piece that is written changes the folder itself.
                if room_pk not in live or (room_pk not in paused and time.time() - folder.lstat().st_mtime > OLD):
                    store.remove_folder(folder)
            except OSError as error:
                log.warning("room %s: its sound stays in memory: %s", room_pk, error)


def own_folder(folder: Path) -> Path:
    """A folder in memory, made where it is missing. Raises OSError unless it is ours alone."""
    folder.mkdir(mode=0o750, parents=True, exist_ok=True)
    if not is_ours(folder):
        raise PermissionError(f"WINDOW_DIR: {folder} is not a folder of ours alone")
    return folder


def is_ours(folder: Path) -> bool:
    """A real folder, no link, that belongs to us and that not everybody may write to."""
    try:
        found = folder.lstat()
    except OSError:
        return False
    return stat.S_ISDIR(found.st_mode) and found.st_uid == os.geteuid() and not found.st_mode & stat.S_IWOTH
