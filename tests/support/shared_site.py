"""One site for many tests: web, media and work, started once and handed on, with all that a test left taken away.

For tests that do with the site what people do with it, and kill at most what `lend` starts again. Starting the
processes takes longer than most of those tests.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Any
from uuid import UUID

import redis
from django.conf import settings
from django.db import connection
from django.utils import timezone

from config.celery import app
from core.bus import key
from deploy.local.process import CannotStart, run, wait_for
from rooms.channels import MEDIA_CHANGED
from rooms.media.redis_keys import DISK, HEARTBEAT
from rooms.models import RecordingsFolder, Room
from rooms.recording import marker
from tests.support.processes import Site
from tests.support.services import services

PROCESSES = ("web", "media", "work")
QUEUES = ("clock", "mail", "work", "speech")
WITHIN = 60.0  # seconds for what takes one


class SharedSite(Site):
    """The site's processes, and the marker of the folder in which they found the recordings' home."""

    def __init__(self) -> None:
        super().__init__(services().folder / "log")
        self.folder: UUID | None = None
        run([sys.executable, "manage.py", "collectstatic", "--no-input", "--verbosity", "0"], env=os.environ)

    def lend(self) -> None:
        """Make it ready for a test: every process at work, no room built, nothing of the last test's."""
        self._mark()
        _bind_queues()
        self.start(*(name for name in PROCESSES if not self._lives(name)))
        wait_for("a supervisor without rooms", _is_ready, seconds=WITHIN)
        wait_for("web", lambda: self.status("/healthz") == 200, seconds=WITHIN)
        self.folder = self.folder or marker.wanted_folder()
        connection.close()

    def take_back(self) -> None:
        """End the rooms that are live, and every process but the three."""
        for name in self.running.keys() - set(PROCESSES):
            self.stop(name)
        now = timezone.now()
        # Not by the action: nobody is told and nothing is finished of a room that goes with its row.
        Room.objects.filter(status=Room.Status.LIVE).update(
            status=Room.Status.ENDED, ended_at=now, end_reason=Room.EndReason.HOST
        )
        if self._lives("media"):
            with redis.Redis.from_url(settings.REDIS_URL) as client:
                client.publish(key(MEDIA_CHANGED), "0")
            try:
                wait_for("the end of all rooms", lambda: _told(HEARTBEAT).get("rooms") == 0, seconds=WITHIN)
            except CannotStart:
                end_shared_site()  # the next test gets another
                raise

    def _lives(self, name: str) -> bool:
        process = self.running.get(name)
        return process is not None and process.poll() is None

    def _mark(self) -> None:
        """Let the emptied database name the folder of recordings that the processes know."""
        if self.folder is not None:
            RecordingsFolder.objects.update_or_create(pk=1, defaults={"folder": self.folder})


def _bind_queues() -> None:
    """Name the workers' queues in Redis, which was emptied: Celery does it once a process, and what is sent to a queue
    without a name is lost."""
    with app.connection_for_write() as line:
        for name in QUEUES:
            app.amqp.queues[name].bind(line.default_channel).declare()


def _is_ready() -> bool:
    """Whether the supervisor has Janus and a disk to record on, and no room."""
    alive = _told(HEARTBEAT)
    return bool(alive.get("janus")) and alive.get("rooms") == 0 and _told(DISK).get("paused") is False


def _told(name: str) -> dict[str, Any]:
    """The status that the supervisor last wrote; empty while it shows no life."""
    with redis.Redis.from_url(settings.REDIS_URL) as client:
        found: Any = client.get(key(name))
    return dict(json.loads(found)) if found else {}


_running: SharedSite | None = None


def shared_site() -> SharedSite:
    """The one of this process of pytest, lent."""
    global _running
    _running = _running or SharedSite()
    _running.lend()
    return _running


def end_shared_site() -> None:
    """Stop it, if it runs: its ports, Redis and database are needed for another."""
    global _running
    if _running is not None:
        _running.stop()
        _running = None
        (Path(settings.RECORDINGS_DIR) / marker.NAME).unlink(missing_ok=True)


def is_in_use(path: Path) -> bool:
    """Whether it is the marker of the folder of recordings: without it the supervisor would pause recording."""
    return _running is not None and path == Path(settings.RECORDINGS_DIR) / marker.NAME
