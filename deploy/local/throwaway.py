"""An instance for a test run, in a temporary folder that is removed when it stops."""

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
from deploy.local.ports import Claim, hold, previous_block
from deploy.local.postgres import Postgres
from deploy.local.process import CannotStart, start, stop, wait_for

PREFIX = "stamtafel-test-"


class Throwaway:
    """Real PostgreSQL, Redis and Janus. `start` raises CannotStart when a part is missing: tests never run without."""

    def __init__(self) -> None:
        remove_stale_folders()
        self.claim = Claim()
        self.folder = Path(tempfile.mkdtemp(prefix=PREFIX))
        keys.write_private(self.folder / "ports", f"{self.claim.block.first}\n")
        close(self.folder)
        self.instance = Instance(
            self.folder, self.claim.block, keys.load(self.folder / "secrets"), media_address(), throwaway=True
        )
        self.running: dict[str, subprocess.Popen[bytes]] = {}

    def start(self) -> dict[str, str]:
        """Start everything and return the environment for it. On failure, stop what did start."""
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
        """Wait until one part is ready. Raises CannotStart with the end of its log."""
        process = self.running[name]
        try:
            wait_for(name, part.ready, lambda: process.poll() is None)
        except CannotStart as error:
            tail = "\n".join(self.log(name).read_text(errors="replace").splitlines()[-20:])
            raise CannotStart(f"{error}:\n{tail}") from error

    def restart(self, name: str, down: float = 0.0) -> None:
        """Kill one part, leave it down for `down` seconds, and start it again."""
        self.kill(name)
        time.sleep(down)
        part: Part = getattr(self.instance, name)
        self.running[name] = start(part.command(), self.log(name))
        self.wait(name, part)

    def kill(self, name: str) -> None:
        """Kill one part without warning."""
        self.running[name].kill()
        self.running[name].wait()

    def log(self, name: str) -> Path:
        """Return a part's log file."""
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


def remove_stale_folders() -> None:
    """Remove folders of killed runs: those whose block of ports nobody holds any more."""
    for folder in Path(tempfile.gettempdir()).glob(f"{PREFIX}*"):
        first = previous_block(folder / "ports")
        if first is None or folder.stat().st_uid != os.geteuid():
            continue
        holder = hold(first)
        if holder is not None:
            shutil.rmtree(folder, ignore_errors=True)
            holder.close()
