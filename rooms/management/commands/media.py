"""`manage.py media`: the media supervisor. One a node; a second one waits until the first is gone."""

from __future__ import annotations

import asyncio
import fcntl
import logging
import signal
import time
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from rooms.media.supervisor import Supervisor

log = logging.getLogger(__name__)


class Command(BaseCommand):
    help = "Makes Janus and ffmpeg match the live rooms, until it is stopped."
    # Where this is started anew nobody hears anything until it is there: the checks load all pages, for half a second.
    requires_system_checks: list[str] = []

    def handle(self, *args: Any, **options: Any) -> None:
        """Run until SIGTERM or SIGINT."""
        if not (settings.JANUS_API_SECRET and settings.JANUS_ADMIN_KEY):
            raise CommandError("JANUS_API_SECRET and JANUS_ADMIN_KEY are not set: write the two that Janus was given")
        folder = Path(settings.RECORDINGS_DIR)
        folder.mkdir(parents=True, exist_ok=True)
        with (folder / ".supervisor").open("a") as lock:
            _wait_for(lock.fileno())
            asyncio.run(_supervise())


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
