"""Uploaded pictures: re-encoded as square WebP of at most 512 px, without anything else of the file.

Decoding runs in a limited process of its own (`people/picture_worker.py`), one at a time on a machine: the web process
only passes bytes on, so that no file can exhaust its memory.
"""

from __future__ import annotations

import fcntl
import logging
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, BinaryIO

from django.conf import settings

from people import picture_worker
from people.refusals import PeopleRefused

log = logging.getLogger(__name__)

WALL_SECONDS = 10.0  # for one picture, whatever it does; 12 megapixels take about half a second
PATIENCE = 8.0  # seconds to wait for one's turn: longer than two of the slowest (picture_worker.CPU_SECONDS) take
WAITING = 8  # uploads of one process that wait for their turn; more are refused at once
LOOK_AGAIN = 0.05  # seconds
_WORKER = Path(picture_worker.__file__).resolve()
_waiting = threading.BoundedSemaphore(WAITING)


def square_webp(upload: BinaryIO, size: int) -> bytes:
    """Return the re-encoded picture; `size` is the upload's length in bytes.

    Refuses `picture_too_large` (bytes or pixels, before a pixel is decoded), `not_a_picture`, and `busy` when others
    are being decoded for too long.
    """
    if size > settings.PICTURE_MAX_BYTES:
        raise PeopleRefused("picture_too_large")
    data = upload.read(settings.PICTURE_MAX_BYTES + 1)
    with _turn(), tempfile.TemporaryFile() as written:
        code = _decode(data, written)
        written.seek(0)
        finished = written.read(picture_worker.MOST_WRITTEN)
    if code == picture_worker.TOO_LARGE:
        raise PeopleRefused("picture_too_large")
    if code != picture_worker.DONE or finished[:4] != b"RIFF" or finished[8:12] != b"WEBP":
        raise PeopleRefused("not_a_picture")
    return finished


def _decode(data: bytes, written: IO[bytes]) -> int:
    """Run the worker on an upload; return its exit code, negative where a signal ended it.

    It gets an empty environment, because ours holds secrets, and writes to a file, whose size can be limited.
    """
    limits = [str(settings.PICTURE_MAX_PIXELS), str(settings.PICTURE_MAX_BYTES)]
    try:
        done = subprocess.run(
            [sys.executable, "-I", str(_WORKER), *limits],
            input=data,
            stdout=written,
            stderr=subprocess.DEVNULL,
            env={},
            cwd="/",
            timeout=WALL_SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired:
        log.warning("a picture of %s bytes took longer than %s s", len(data), WALL_SECONDS)
        return picture_worker.NOT_A_PICTURE
    if done.returncode not in (picture_worker.DONE, picture_worker.NOT_A_PICTURE, picture_worker.TOO_LARGE):
        log.warning("decoding a picture of %s bytes ended with %s", len(data), done.returncode)
    return done.returncode


@contextmanager
def _turn() -> Iterator[None]:
    """Hold this machine's lock for decoding, across web processes; refuses `busy` rather than queue without end.

    The lock is on the folder of pictures, which all web processes share, and is released with the process that holds
    it.
    """
    if not _waiting.acquire(blocking=False):
        raise PeopleRefused("busy", wait=PATIENCE)
    try:
        Path(settings.MEDIA_ROOT).mkdir(mode=0o750, parents=True, exist_ok=True)
        folder = os.open(settings.MEDIA_ROOT, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            _lock(folder)
            yield
        finally:
            os.close(folder)
    finally:
        _waiting.release()


def _lock(folder: int) -> None:
    ends = time.monotonic() + PATIENCE
    while True:
        try:
            fcntl.flock(folder, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() > ends:
                raise PeopleRefused("busy", wait=PATIENCE) from None
            time.sleep(LOOK_AGAIN)
        else:
            return
