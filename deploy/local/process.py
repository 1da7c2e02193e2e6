"""Starting, waiting for and stopping programs, which end when we do."""

import os
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from deploy.local.closed import UMASK


class CannotStart(Exception):
    """A part is missing or did not start; the text says what to do."""


def need(program: str, package: str, *elsewhere: str) -> str:
    """Return the path of a program, also from sbin and the folders `elsewhere`. Raises CannotStart."""
    path = os.pathsep.join([os.environ.get("PATH", ""), "/usr/sbin", "/sbin", *elsewhere])
    found = shutil.which(program, path=path)
    if found is None:
        raise CannotStart(f"{program} is missing: run script/bootstrap, or install the package {package}")
    return found


def bound(command: Sequence[str], user: str | None = None, death: str = "TERM") -> list[str]:
    """Wrap a command so that it gets the signal `death` when the process that started it dies; optionally as another
    user."""
    line = [need("setpriv", "util-linux"), "--pdeathsig", death]
    if user is not None:
        line += ["--reuid", user, "--regid", user, "--init-groups"]
    return [*line, "--", *command]


def run(command: Sequence[str], env: Mapping[str, str] | None = None, user: str | None = None) -> str:
    """Run a command to its end and return its output. Raises CannotStart with the last of the output."""
    line = bound(command, user) if user is not None else list(command)
    done = subprocess.run(
        line,
        env=env,
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        stdin=subprocess.DEVNULL,
        umask=UMASK,
    )
    if done.returncode:
        tail = "\n".join(done.stdout.splitlines()[-25:])
        raise CannotStart(f"{Path(command[0]).name} failed ({done.returncode}):\n{tail}")
    return done.stdout


def start(command: Sequence[str], log: Path, env: Mapping[str, str] | None = None) -> "subprocess.Popen[bytes]":
    """Start a command in the background, with its output in `log`. Its files are private to its user."""
    with os.fdopen(os.open(log, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600), "ab") as output:
        return subprocess.Popen(
            list(command),
            env=env,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
            umask=UMASK,
        )


def stop(process: "subprocess.Popen[bytes]", sign: int = signal.SIGTERM, patience: float = 10.0) -> None:
    """Send a signal to a program, and kill it after `patience` seconds."""
    if process.poll() is not None:
        return
    process.send_signal(sign)
    try:
        process.wait(patience)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def wait_for(
    what: str, ready: Callable[[], bool], alive: Callable[[], bool] = lambda: True, seconds: float = 30.0
) -> None:
    """Wait until `ready()`. Raises CannotStart when `alive()` is false or after `seconds`."""
    until = time.monotonic() + seconds
    while not ready():
        if not alive():
            raise CannotStart(f"{what} stopped while it was starting")
        if time.monotonic() > until:
            raise CannotStart(f"{what} is not ready after {seconds:.0f} seconds")
        time.sleep(0.05)


def answers(port: int, host: str = "127.0.0.1") -> bool:
    """Whether something accepts TCP connections on a port."""
    try:
        with socket.create_connection((host, port), timeout=0.5):
            return True
    except OSError:
        return False
