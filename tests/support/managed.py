"""The whole site under its real process manager, as script/server runs it, on the parts of a test run or a bench."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from pathlib import Path

from django.conf import settings
from django.db import connections

from deploy.local import programs
from deploy.local.manager import PARTS, Manager
from deploy.local.postgres import Postgres
from deploy.local.process import stop
from deploy.local.serve import readiness
from deploy.local.throwaway import Throwaway
from tests.support.waiting import wait_until

SITE = tuple(name for name in programs.ORDER if name != "voices")
READY_WITHIN = 240.0
MARK = "STAMTAFEL_MANAGED_BY"  # in the environment of all that the process manager started, and of nothing else


class Managed:
    """PostgreSQL, Redis, Janus and all of the site's processes; what dies is started again by supervisord alone."""

    def __init__(self, parts: Throwaway) -> None:
        self.parts = parts
        block = parts.instance.block
        self.url = f"http://localhost:{block.web}"
        self.manager = Manager(
            Path(settings.BASE_DIR), parts.folder, block.manager, parts.instance.keys["MANAGER_PASSWORD"]
        )
        lines = {name: getattr(parts.instance, name).command() for name in PARTS}
        self.manager.write(lines | {name: programs.command(name, block.web) for name in SITE})

    def start(self, **env: str) -> None:
        """Take the parts over from who runs them now, and start the site; back when all of it is at work."""
        connections.close_all()
        for name in reversed(PARTS):
            if name in self.parts.running:
                stop(self.parts.running[name], Postgres.STOP if name == "postgres" else signal.SIGTERM)
        self.manager.start({**os.environ, "STATIC_FILES": "source", MARK: str(self.parts.folder), **env})
        self._until(lambda: "" if all(getattr(self.parts.instance, name).ready() for name in PARTS) else "parts")
        for name in SITE:
            self.manager.begin(name)
        self._until(lambda: readiness(self.url))

    def stop(self) -> None:
        """End everything, and give the parts back to who ran them."""
        connections.close_all()
        self.manager.stop()
        for name in PARTS:
            if name in self.parts.running:
                self.parts.restart(name)

    def pid(self, name: str) -> int:
        """The process behind a name; 0 while there is none."""
        found = self.manager.call("getProcessInfo", name)
        assert isinstance(found, dict)
        return int(found["pid"])

    def kill(self, *names: str) -> None:
        """kill -9; nothing else is done about it."""
        for pid in [self.pid(name) for name in names]:
            os.kill(pid, signal.SIGKILL)

    def log(self, name: str) -> str:
        """Return the last lines of a process's log."""
        return self.manager.tail(name, 60)

    def ours(self) -> dict[int, str]:
        """Every process of this instance with its command line."""
        mark = f"{MARK}={self.parts.folder}\0".encode()
        found = {}
        for folder in Path("/proc").glob("[0-9]*"):
            try:
                if mark in (folder / "environ").read_bytes():
                    found[int(folder.name)] = (folder / "cmdline").read_text(errors="replace").replace("\0", " ")
            except OSError:
                continue
        return found

    def ffmpegs(self, word: str) -> list[int]:
        """Process numbers of its ffmpegs, by a word in their command line."""
        return [pid for pid, line in self.ours().items() if line.startswith("ffmpeg") and word in line]

    def below(self, pid: int) -> list[int]:
        """A process and all that descend from it."""
        return [each for each in self.ours() if pid in _ancestors(each)]

    def orphans(self) -> dict[int, str]:
        """Processes of this instance that do not descend from its process manager."""
        assert self.manager.process is not None
        roots = {os.getpid(), self.manager.process.pid}
        return {pid: line for pid, line in self.ours().items() if not _ancestors(pid) & roots}

    def _until(self, wanted: Callable[[], str]) -> None:
        """Until `wanted` says nothing more."""
        try:
            wait_until(lambda: not wanted(), READY_WITHIN, every=0.2)
        except AssertionError as error:
            logs = "\n".join(f"--- {name}\n{self.log(name)}" for name in self.manager.names)
            raise AssertionError(f"{wanted()}\n{logs}") from error


def _ancestors(pid: int) -> set[int]:
    found = set()
    while pid > 1 and pid not in found:
        found.add(pid)
        try:
            pid = int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])
        except OSError:
            return found | {os.getpid()}  # it ended just now: nobody's orphan
    return found
