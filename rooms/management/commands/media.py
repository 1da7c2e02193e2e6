"""`manage.py media`: the media supervisor. One a node; a second one waits until the first is gone."""

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

from core.lane import DiskHangs, Lane
from rooms.media.supervisor.loop import Supervisor
from rooms.recording import marker
from rooms.recording.hls import window

log = logging.getLogger(__name__)

NAME = ".supervisor"
SURE = 1.0  # seconds
AGAIN = 2.0  # seconds


class Command(BaseCommand):
    help = "Makes Janus and ffmpeg match the live rooms, until it is stopped."
    # Where this is started anew nobody hears anything until it is there: the checks load all pages, for half a second.
    requires_system_checks: list[str] = []

    def handle(self, *args: Any, **options: Any) -> None:
        """Run until SIGTERM or SIGINT."""
        if not (settings.JANUS_API_SECRET and settings.JANUS_ADMIN_KEY):
            raise CommandError("JANUS_API_SECRET and JANUS_ADMIN_KEY are not set: write the two that Janus was given")
        while True:
            _wait_for_our_folder()
            with _locks() as locks:
                for lock in locks:
                    lock.wait()
                if _is_our_folder():  # still, after waiting for another one to end
                    asyncio.run(_supervise())
                    return


def _wait_for_our_folder() -> None:
    """Two supervisors with separate disks would build every room twice: one on a disk that is not ours builds none, and
    holds no lock that another one waits for."""
    while not _is_our_folder():
        time.sleep(AGAIN)


def _is_our_folder() -> bool:
    """Whether recordings belong in RECORDINGS_DIR. Rooms have sound without a database and without a disk, so where
    either does not answer its signature is enough, or nothing."""
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
    """In a thread of its own, whose connection to the database ends with it."""
    try:
        marker.check()
    finally:
        connection.close()


@contextmanager
def _locks() -> Generator[list[Lock]]:
    """Open locks, always in the same order: one in memory, and one beside the recordings. Where one cannot be made (a
    disk that is full, read-only or hangs, a folder of somebody else) the other still keeps a second supervisor out."""
    found: list[Lock] = []
    try:
        for name, make in (("WINDOW_DIR", window.home), ("RECORDINGS_DIR", _recordings)):
            try:
                found.append(Lock(name, make))
            except OSError as error:
                log.warning("no lock there: %s", error)
        if not found:
            raise CommandError("there is no place for a lock: neither RECORDINGS_DIR nor WINDOW_DIR can be written to")
        yield found
    finally:
        for lock in found:
            lock.close()


def _recordings() -> Path:
    folder = Path(settings.RECORDINGS_DIR)
    folder.mkdir(parents=True, exist_ok=True)
    return folder


class Lock:
    """A lock of the kernel's on a file `.supervisor`, given up with the process that had it, however it died.

    A process that was killed while one of its threads waits for a dead disk does not end, and keeps its locks: the next
    puts a fresh file in the place of such a one.
    """

    def __init__(self, name: str, make: Callable[[], Path]) -> None:
        """Open, not locked. Raises OSError: DiskHangs where the folder that `make` returns does not answer."""
        self._lane = Lane(name)
        self._make = make
        self._dead_since = math.inf
        self._file = self._lane.run_here(self._open)

    def _open(self) -> int:
        """One that is there serves on a read-only disk, too."""
        path, flags = self._make() / NAME, os.O_CLOEXEC | os.O_NOFOLLOW
        try:
            return os.open(path, flags | os.O_RDWR | os.O_CREAT, 0o640)
        except OSError:
            return os.open(path, flags | os.O_RDONLY)

    def wait(self) -> None:
        """Until it is ours, or its disk hangs: then the other lock has to do."""
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
        """Whether it is ours now. Not from a living process."""
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if self._is_current() and self._is_left_over():
                log.warning("the media supervisor before was killed and cannot end: its lock is replaced")
                (self._make() / NAME).unlink(missing_ok=True)
                self._reopen()
            return False
        if not self._is_current():  # somebody replaced it meanwhile
            self._reopen()
            return False
        with suppress(OSError):  # a disk that is full or read-only
            os.ftruncate(self._file, 0)
            os.pwrite(self._file, str(os.getpid()).encode(), 0)
        return True

    def _is_left_over(self) -> bool:
        """Whether who has it was seen dead for some time: a living one that just took it has not written its number."""
        if not _is_dead(os.pread(self._file, 20, 0)):
            self._dead_since = math.inf
            return False
        self._dead_since = min(self._dead_since, time.monotonic())
        return time.monotonic() - self._dead_since > SURE

    def _is_current(self) -> bool:
        """Whether the file that is open here is the one that another would open."""
        try:
            return os.path.samestat(os.fstat(self._file), (self._make() / NAME).stat())
        except FileNotFoundError:
            return False

    def _reopen(self) -> None:
        os.close(self._file)
        self._file = self._open()

    def close(self) -> None:
        """Give it up."""
        with suppress(DiskHangs):
            self._lane.run_here(lambda: os.close(self._file))


def _is_dead(number: bytes) -> bool:
    """Whether the process of this number was ended, and is only not buried."""
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
