"""An instance for a test run: in a folder of its own under the system's temporary folder, gone when it is stopped."""

import os
import shutil
import signal
import subprocess
import tempfile
import time
from pathlib import Path

from deploy.local import keys
from deploy.local.closed import close
from deploy.local.instance import Instance, Part
from deploy.local.janus import media_address
from deploy.local.ports import Claim, hold, remembered
from deploy.local.postgres import Postgres
from deploy.local.process import CannotStart, start, stop, wait_for

PREFIX = "stamtafel-test-"


class Throwaway:
    """Real PostgreSQL, Redis and Janus. `start` raises CannotStart when a part is missing: tests never go without."""

    def __init__(self) -> None:
        sweep()
        self.claim = Claim()
        self.folder = Path(tempfile.mkdtemp(prefix=PREFIX))
        keys.write_private(self.folder / "ports", f"{self.claim.block.first}\n")
        close(self.folder)
        self.instance = Instance(
            self.folder, self.claim.block, keys.load(self.folder / "secrets"), media_address(), throwaway=True
        )
        self.running: dict[str, subprocess.Popen[bytes]] = {}

    def start(self) -> dict[str, str]:
        """Start everything, return the environment that leads there. What did start is stopped again on failure."""
        try:
            parts = self.instance.parts()
            for name, part in parts.items():
                self.running[name] = start(part.command(), self.log(name))
            for name, part in parts.items():
                self.wait(name, part)
        except BaseException:
            self.stop()
            raise
        return self.instance.environment()

    def wait(self, name: str, part: Part) -> None:
        """Wait until one part answers; if it does not, say what it wrote last."""
        process = self.running[name]
        try:
            wait_for(name, part.ready, lambda: process.poll() is None)
        except CannotStart as error:
            tail = "\n".join(self.log(name).read_text(errors="replace").splitlines()[-20:])
            raise CannotStart(f"{error}:\n{tail}") from error

    def restart(self, name: str, down: float = 0.0) -> None:
        """Kill one part outright, leave it away for `down` seconds, start it again: for tests of what survives that."""
        self.kill(name)
        time.sleep(down)
        part: Part = getattr(self.instance, name)
        self.running[name] = start(part.command(), self.log(name))
        self.wait(name, part)

    def kill(self, name: str) -> None:
        """End one part without warning."""
        self.running[name].kill()
        self.running[name].wait()

    def log(self, name: str) -> Path:
        """Where a part writes."""
        return self.folder / f"{name}.log"

    def stop(self) -> None:
        """Stop everything and remove the folder."""
        for name, process in reversed(self.running.items()):
            stop(process, Postgres.STOP if name == "postgres" else signal.SIGTERM)
        self.running.clear()
        data = self.instance.postgres.data
        shutil.rmtree(self.folder, ignore_errors=True)
        if not data.is_relative_to(self.folder):
            shutil.rmtree(data.parent, ignore_errors=True)
        self.claim.release()


def sweep() -> None:
    """Remove what our own killed runs left: folders whose block of ports nobody holds any more."""
    for folder in Path(tempfile.gettempdir()).glob(f"{PREFIX}*"):
        first = remembered(folder / "ports")
        if first is None or folder.stat().st_uid != os.geteuid():
            continue
        holder = hold(first)
        if holder is not None:
            shutil.rmtree(folder, ignore_errors=True)
            holder.close()
