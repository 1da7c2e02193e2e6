"""Tracks on their way: Janus writes them into memory, WINDOW_DIR/tracks/<room>, and each second they go on to the disk.

Janus must never wait for a disk: a write that hangs ends a speaker's sound, and the end of a track that hangs stops all
of Janus. What is on the disk is given back to memory at once (a hole in the file, which Janus goes on writing), so that
a track takes some kilobytes there. A machine that dies loses the last second.
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
    """Where the tracks of all rooms lie."""
    return Path(settings.WINDOW_DIR) / "tracks"


def folder(room: int | str) -> Path:
    """Where Janus writes the tracks of a room."""
    return home() / str(room)


def make(room: int | str) -> Path:
    """A room's folder. Raises OSError unless it is ours alone."""
    window.home()
    window.own_folder(home())
    return window.own_folder(folder(room))


def rooms() -> list[int]:
    """Rooms of which something lies in memory."""
    return [int(path.name) for path in home().iterdir() if path.name.isdecimal()] if window.is_ours(home()) else []


def drain(room_pk: int) -> bool:
    """Append what is new in memory to the tracks on the disk, whose folder must be there. False where another process
    is at it. Raises OSError: nothing is lost, it is tried again."""
    if not window.is_ours(folder(room_pk)):
        return True
    with _alone(folder(room_pk)) as alone:
        if alone:
            for path in sorted(folder(room_pk).glob("*.mjr")):
                _move_on(path, store.tracks_folder(room_pk) / path.name)
        return alone


def remove(room_pk: int) -> None:
    """Nothing of a room stays in memory. Raises OSError where it does."""
    if window.is_ours(folder(room_pk)):
        store.remove_folder(folder(room_pk))


@contextmanager
def _alone(where: Path) -> Iterator[bool]:
    """Whether nobody else moves these tracks."""
    lock = os.open(where / ".lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield True
    except BlockingIOError:
        yield False
    finally:
        os.close(lock)


def _move_on(source: Path, target: Path) -> None:
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
        _give_back(track.fileno(), written // _PAGE * _PAGE)


def _give_back(fd: int, length: int) -> None:
    """Free the beginning of a file's memory. A file system that cannot keeps it until the room is over."""
    if length and _fallocate()(fd, _PUNCH_HOLE | _KEEP_SIZE, 0, length):
        log.info("WINDOW_DIR cannot give back parts of files: %s", os.strerror(ctypes.get_errno()))


@functools.cache
def _fallocate() -> Callable[..., int]:
    """The system's, which Python has without its modes only."""
    found = ctypes.CDLL(None, use_errno=True).fallocate
    found.argtypes = (ctypes.c_int, ctypes.c_int, ctypes.c_int64, ctypes.c_int64)
    found.restype = ctypes.c_int
    return found
