"""Tracks in memory: Janus writes them to WINDOW_DIR/tracks/<room>, and each second they are moved on to the disk.

Janus must never wait for a disk: a write that hangs ends a speaker's sound, and closing a track that hangs stops all of
Janus. Bytes that are on the disk are freed in memory at once (a hole in the file, which Janus goes on writing), so that
a track takes some kilobytes there. A crash of the machine loses the last second.
"""

from __future__ import annotations

import ctypes
import fcntl
import functools
import logging
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from django.conf import settings

from rooms.recording import store
from rooms.recording.hls import window

log = logging.getLogger(__name__)

_KEEP_SIZE, _PUNCH_HOLE = 1, 2  # of fallocate(2)
_PAGE = os.sysconf("SC_PAGE_SIZE")


def home() -> Path:
    """Folder of the tracks of all rooms."""
    return Path(settings.WINDOW_DIR) / "tracks"


def folder(room: int | str) -> Path:
    """Folder in which Janus writes the tracks of a room."""
    return home() / str(room)


def make(room: int | str) -> Path:
    """Create a room's folder. Raises OSError unless only this user can write to it."""
    window.home()
    window.own_folder(home())
    return window.own_folder(folder(room))


def rooms() -> list[int]:
    """Primary keys of rooms that have a folder in memory."""
    return [int(path.name) for path in home().iterdir() if path.name.isdecimal()] if window.is_ours(home()) else []


def drain(room_pk: int) -> bool:
    """Append new bytes in memory to the tracks on the disk, whose folder must exist. Returns False where another
    process is doing that. Raises OSError; nothing is lost then, and it can be tried again."""
    if not window.is_ours(folder(room_pk)):
        return True
    with _alone(folder(room_pk)) as alone:
        if alone:
            for path in sorted(folder(room_pk).glob("*.mjr")):
                _append_new(path, store.tracks_folder(room_pk) / path.name)
        return alone


def remove(room_pk: int) -> None:
    """Remove a room's folder from memory. Raises OSError where that fails."""
    if window.is_ours(folder(room_pk)):
        store.remove_folder(folder(room_pk))


@contextmanager
def _alone(where: Path) -> Iterator[bool]:
    """Lock a folder; yields whether the lock was free."""
    lock = os.open(where / ".lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield True
    except BlockingIOError:
        yield False
    finally:
        os.close(lock)


def _append_new(source: Path, target: Path) -> None:
    """Append the bytes of a track that the disk lacks, then free them in memory."""
    with source.open("r+b", buffering=0) as track:
        size = os.fstat(track.fileno()).st_size
        with target.open("ab") as file:
            done = os.fstat(file.fileno()).st_size
            if done >= size:
                return
            if os.lseek(track.fileno(), done, os.SEEK_DATA) != done:
                log.error("%s: its beginning was lost on the disk, the rest is left out", target)
                return
            track.seek(done)
            shutil.copyfileobj(track, file)
            file.flush()
            written = os.fstat(file.fileno()).st_size
        _punch_hole(track.fileno(), written // _PAGE * _PAGE)


def _punch_hole(fd: int, length: int) -> None:
    """Free the memory of the first `length` bytes of a file; a file system that cannot keeps it until the end."""
    if length and _fallocate()(fd, _PUNCH_HOLE | _KEEP_SIZE, 0, length):
        log.info("WINDOW_DIR cannot give back parts of files: %s", os.strerror(ctypes.get_errno()))


@functools.cache
def _fallocate() -> Callable[..., int]:
    """fallocate(2) by ctypes: Python's own lacks the mode argument."""
    function = ctypes.CDLL(None, use_errno=True).fallocate
    function.argtypes = (ctypes.c_int, ctypes.c_int, ctypes.c_int64, ctypes.c_int64)
    function.restype = ctypes.c_int
    return function
