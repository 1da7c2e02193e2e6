"""`manage.py media`: the media supervisor. One a node; a second one waits until the first is gone."""

from __future__ import annotations

import asyncio
import fcntl
import logging
import os
import signal
import time
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.db import DatabaseError, connection

from rooms.media.supervisor import Supervisor
from rooms.recording import marker, window

log = logging.getLogger(__name__)

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
                    _wait_for(lock)
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
    try:
        marker.check()
    except marker.OtherFolder as error:
        marker.report(error)
        return False
    except DatabaseError as error:
        connection.close()
        log.warning("the database is away, which folder it names is not known: %s", type(error).__name__)
        return marker.is_signed()
    except OSError as error:  # recording pauses by itself
        log.warning("RECORDINGS_DIR: %s", error)
    return True


@contextmanager
def _locks() -> Generator[list[int]]:
    """Open locks, always in the same order: one in memory, and one beside the recordings. Where one cannot be made (a
    disk that is full or read-only, a folder of somebody else) the other still keeps a second supervisor out."""
    found: list[int] = []
    try:
        for make in (window.home, _recordings):
            try:
                found.append(_open(make() / ".supervisor"))
            except OSError as error:
                log.warning("no lock there: %s", error)
        if not found:
            raise CommandError("there is no place for a lock: neither RECORDINGS_DIR nor WINDOW_DIR can be written to")
        yield found
    finally:
        for lock in found:
            os.close(lock)


def _recordings() -> Path:
    folder = Path(settings.RECORDINGS_DIR)
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def _open(path: Path) -> int:
    """One that is there serves on a read-only disk, too."""
    flags = os.O_CLOEXEC | os.O_NOFOLLOW
    try:
        return os.open(path, flags | os.O_RDWR | os.O_CREAT, 0o640)
    except OSError:
        return os.open(path, flags | os.O_RDONLY)


def _wait_for(lock: int) -> None:
    """The kernel gives the lock up with the process that had it, however it died."""
    told = False
    while True:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if not told:
                log.warning("another media supervisor works on these recordings; waiting for it to end")
                told = True
            time.sleep(0.1)
        else:
            return


async def _supervise() -> None:
    supervisor = Supervisor()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, supervisor.stop)
    await supervisor.run()
