"""`manage.py media`: run the media supervisor. One runs on a node; a second one waits for the first to end."""

from __future__ import annotations

import asyncio
import fcntl
import logging
import math
import os
import signal
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.db import DatabaseError, connection

from core import after_restore
from core.lane import DiskHangs, Lane
from rooms.media.supervisor.loop import Supervisor
from rooms.recording import marker
from rooms.recording.hls import window

log = logging.getLogger(__name__)

NAME = ".supervisor"
DEAD_SECONDS = 1.0  # for which the owner of a lock must be seen dead before the lock is replaced
RETRY_SECONDS = 2.0  # between checks of the folder


class Command(BaseCommand):
    help = "Makes Janus and ffmpeg match the live rooms, until it is stopped."
    # There is no sound until a restarted supervisor is up: the checks, which load all URLs, would cost half a second.
    requires_system_checks: list[str] = []

    def handle(self, *args: Any, **options: Any) -> None:
        """Run until SIGTERM or SIGINT."""
        if not (settings.JANUS_API_SECRET and settings.JANUS_ADMIN_KEY):
            raise CommandError("JANUS_API_SECRET and JANUS_ADMIN_KEY are not set: write the two that Janus was given")
        after_restore.begin(wait=False)  # live sound needs no database
        while True:
            _wait_for_our_folder()
            with _locks() as locks:
                for lock in locks:
                    lock.wait()
                if _is_our_folder():  # still, after waiting for another one to end
                    asyncio.run(_supervise())
                    return


def _wait_for_our_folder() -> None:
    """Wait until RECORDINGS_DIR is this installation's folder, without holding a lock.

    Two supervisors with separate disks would build every room twice."""
    while not _is_our_folder():
        time.sleep(RETRY_SECONDS)


def _is_our_folder() -> bool:
    """Whether RECORDINGS_DIR is this installation's folder. Without the database its signature is enough; without the
    disk the answer is yes: live sound needs neither."""
    lane = Lane("RECORDINGS_DIR")
    try:
        try:
            lane.run_here(_check_marker)
        except DatabaseError as error:
            log.warning("the database is away, which folder it names is not known: %s", type(error).__name__)
            return lane.run_here(marker.is_signed)
    except marker.OtherFolder as error:
        marker.report(error)
        return False
    except OSError as error:  # recording pauses by itself
        log.warning("RECORDINGS_DIR: %s", error)
    return True


def _check_marker() -> None:
    """Check the marker in a thread of its own, and close that thread's connection to the database."""
    try:
        marker.check()
    finally:
        connection.close()


@contextmanager
def _locks() -> Generator[list[Lock]]:
    """Open two locks, always in the same order: one in memory, one beside the recordings. One is enough where the other
    cannot be opened (a disk that is full, read-only or hangs, another user's folder)."""
    opened: list[Lock] = []
    try:
        for name, make in (("WINDOW_DIR", window.home), ("RECORDINGS_DIR", _recordings)):
            try:
                opened.append(Lock(name, make))
            except OSError as error:
                log.warning("no lock there: %s", error)
        if not opened:
            raise CommandError("there is no place for a lock: neither RECORDINGS_DIR nor WINDOW_DIR can be written to")
        yield opened
    finally:
        for lock in opened:
            lock.close()


def _recordings() -> Path:
    folder = Path(settings.RECORDINGS_DIR)
    folder.mkdir(parents=True, exist_ok=True)
    return folder


class Lock:
    """A kernel lock on a file `.supervisor`, released when its process ends, however it ends.

    A process that was killed while one of its threads waits for a dead disk cannot end and keeps its locks: the next
    supervisor replaces the file.
    """

    def __init__(self, name: str, make: Callable[[], Path]) -> None:
        """Open the file, not locked, in the folder that `make` returns. Raises OSError; DiskHangs where it hangs."""
        self._lane = Lane(name)
        self._make = make
        self._dead_since = math.inf
        self._file = self._lane.run_here(self._open)

    def _open(self) -> int:
        """Open the file; on a read-only disk an existing one can still be locked."""
        path, flags = self._make() / NAME, os.O_CLOEXEC | os.O_NOFOLLOW
        try:
            return os.open(path, flags | os.O_RDWR | os.O_CREAT, 0o640)
        except OSError:
            return os.open(path, flags | os.O_RDONLY)

    def wait(self) -> None:
        """Wait until this process holds the lock, or its disk hangs; then the other lock has to suffice."""
        told = False
        try:
            while not self._lane.run_here(self.take):
                if not told:
                    log.warning("another media supervisor works on these recordings; waiting for it to end")
                    told = True
                time.sleep(0.1)
        except DiskHangs as error:
            log.warning("no lock there: %s", error)

    def take(self) -> bool:
        """Try to lock the file; replace it where its owner is dead but cannot end. Returns whether it is locked now."""
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if self._is_current() and self._is_left_over():
                log.warning("the media supervisor before was killed and cannot end: its lock is replaced")
                (self._make() / NAME).unlink(missing_ok=True)
                self._reopen()
            return False
        if not self._is_current():  # another process replaced it meanwhile
            self._reopen()
            return False
        with suppress(OSError):  # a disk that is full or read-only
            os.ftruncate(self._file, 0)
            os.pwrite(self._file, str(os.getpid()).encode(), 0)
        return True

    def _is_left_over(self) -> bool:
        """Whether the owner was seen dead for DEAD_SECONDS: a new owner may not have written its pid yet."""
        if not _is_dead(os.pread(self._file, 20, 0)):
            self._dead_since = math.inf
            return False
        self._dead_since = min(self._dead_since, time.monotonic())
        return time.monotonic() - self._dead_since > DEAD_SECONDS

    def _is_current(self) -> bool:
        """Whether the open file is still the one at its path."""
        try:
            return os.path.samestat(os.fstat(self._file), (self._make() / NAME).stat())
        except FileNotFoundError:
            return False

    def _reopen(self) -> None:
        os.close(self._file)
        self._file = self._open()

    def close(self) -> None:
        """Close the file, which releases the lock."""
        with suppress(DiskHangs):
            self._lane.run_here(lambda: os.close(self._file))


def _is_dead(number: bytes) -> bool:
    """Whether the process with this pid has ended, but was not reaped."""
    if not number.isdigit():
        return False
    try:
        stat = Path(f"/proc/{int(number)}/stat").read_text()
    except OSError:
        return False
    return stat.rpartition(")")[2].split()[0] in ("Z", "X")


async def _supervise() -> None:
    supervisor = Supervisor()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, supervisor.stop)
    await supervisor.run()
