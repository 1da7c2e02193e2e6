"""One site for many tests: started once and handed on, with all that a test left taken away.

For tests that do with the site what people do with it, and kill at most what `lend` starts again. Starting the
processes takes longer than most of those tests.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import connection
from django.utils import timezone

from config.celery import app
from core.bus import key
from deploy.local.process import CannotStart, wait_for
from rooms.channels import MEDIA_CHANGED
from rooms.media.redis_keys import DISK, HEARTBEAT
from rooms.models import RecordingsFolder, Room
from rooms.recording import marker
from tests.support.processes import Site, kept_redis, silence
from tests.support.services import services

QUEUES = ("clock", "mail", "work", "speech")
WITHIN = 60.0  # seconds for what takes one
PATIENT = {"MEDIA_ICE_SECONDS": "60"}  # browsers beside browsers connect late; nothing here is about when they give up


class SharedSite(Site):
    """The processes, and the marker of the folder in which they found the recordings' home."""

    def __init__(self) -> None:
        super().__init__(services().folder / "log")
        self.folder: UUID | None = None
        self.lent: dict[str, subprocess.Popen[bytes]] = {}
        self.file = Path()
        self.env: dict[str, str] = {}

    def lend(self, names: tuple[str, ...], file: Path, env: dict[str, str]) -> None:
        """Make it ready for a test of this file: these processes at work with these settings and no other, no room
        built, nothing of the last test's."""
        self.file = file
        if env != self.env:
            self.stop()
            self.env = env
        self._mark()
        _bind_queues()
        self._keep(name for name in names if self._lives(name))
        self.start(*(name for name in names if not self._lives(name)), **{**PATIENT, **env})
        if "media" in names:
            wait_for("a supervisor without rooms", _is_ready, seconds=WITHIN)
        wait_for("web", lambda: self.status("/healthz") == 200, seconds=WITHIN)
        self.lent = dict(self.running)
        self.folder = self.folder or marker.wanted_folder()
        connection.close()

    def take_back(self) -> None:
        """End every process but those that were lent, the live rooms, and what web does for sockets."""
        # What the test started itself may have settings of its own.
        self._keep(name for name, process in self.lent.items() if self.running.get(name) is process)
        self.folder = self.folder or marker.wanted_folder()
        try:
            if self._lives("media"):
                _end_rooms()
            if self._lives("web"):
                wait_for("the end of all sockets", _is_left, seconds=WITHIN)
        except CannotStart:
            end_shared_site()  # the next test gets another
            raise

    def _keep(self, names: Iterable[str]) -> None:
        """Stop every process but these."""
        if others := self.running.keys() - set(names):
            self.stop(*others)
        if "media" not in self.running:
            silence(self)

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


def _end_rooms() -> None:
    """Have the supervisor end all rooms that are live."""
    # Not by the action: nobody is told and nothing is finished of a room that goes with its row.
    Room.objects.filter(status=Room.Status.LIVE).update(
        status=Room.Status.ENDED, ended_at=timezone.now(), end_reason=Room.EndReason.HOST
    )
    kept_redis().publish(key(MEDIA_CHANGED), "0")
    wait_for("the end of all rooms", lambda: _told(HEARTBEAT).get("rooms") == 0, seconds=WITHIN)


def _is_left() -> bool:
    """Whether web is done with every socket and download: each holds a lease until the last thing it does. One that
    nobody refreshed until it expired is no longer held, though its key stays for as long again."""
    now = time.time() * 1000
    client = kept_redis()
    keys = client.scan_iter(f"{settings.REDIS_PREFIX}quota:*", count=1000)
    return all(client.zcount(name, now, "+inf") == 0 for name in keys)


def _is_ready() -> bool:
    """Whether the supervisor has Janus and a disk to record on, and no room."""
    alive = _told(HEARTBEAT)
    return bool(alive.get("janus")) and alive.get("rooms") == 0 and _told(DISK).get("paused") is False


def _told(name: str) -> dict[str, Any]:
    """The status that the supervisor last wrote; empty while it shows no life."""
    found: Any = kept_redis().get(key(name))
    return dict(json.loads(found)) if found else {}


_running: SharedSite | None = None


def shared_site(*names: str, file: Path, **env: str) -> SharedSite:
    """The one of this process of pytest, lent to a test of this file. With other settings than the last test's its
    processes are started anew."""
    global _running
    _running = _running or SharedSite()
    _running.lend(names, file, env)
    return _running


def end_shared_site(*, but_for: Path | None = None) -> None:
    """Stop it, if it runs, unless it was lent to this file: its ports, Redis and database are needed for another."""
    global _running
    if _running is not None and _running.file != but_for:
        _running.stop()
        _running = None
        recordings = Path(settings.RECORDINGS_DIR)
        (recordings / marker.NAME).unlink(missing_ok=True)
        # Until it ended its supervisor may have written in the folder of a room that was deleted: with that in it the
        # next one would refuse to mark the folder.
        for folder in recordings.glob("[0-9]*"):
            shutil.rmtree(folder)


def is_in_use(path: Path) -> bool:
    """Whether it is the marker of the folder of recordings: without it the supervisor would pause recording."""
    return _running is not None and path == Path(settings.RECORDINGS_DIR) / marker.NAME
