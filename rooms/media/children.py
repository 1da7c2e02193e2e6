"""ffmpeg as a child: started, watched, ended; never two on one playlist, never one without its parent.

The child gets a death signal of its parent from the kernel (`setpriv --pdeathsig`), and a recorder holds its lock by an
open file that only it has: the lock lives exactly as long as the recorder, whoever started it.
"""

from __future__ import annotations

import asyncio
import fcntl
import logging
import os
import signal
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path

from rooms.media.srtp import Hidden, hidden_as_files

log = logging.getLogger(__name__)

_SHORT_LIFE = 5.0  # seconds; who dies sooner is started again more slowly
_LONGEST_WAIT = 5.0
_FINISHING = 5  # tenths of a second a recorder left over gets to write its last piece


class StillLocked(RuntimeError):
    """Another recorder holds the playlist and cannot be ended."""


class Child:
    """One ffmpeg that should always run. `command` is asked for at each start; `lock` keeps a second one out."""

    def __init__(self, name: str, command: Callable[[], Sequence[str | Hidden]], lock: Path | None = None) -> None:
        self.name = name
        self.command = command
        self.lock = lock
        self.started = 0.0
        self.starts = 0
        self._process: asyncio.subprocess.Process | None = None
        self._reader: asyncio.Task[None] | None = None
        self._not_before = 0.0
        self._wait = 0.0

    @property
    def running(self) -> bool:
        """Whether the process lives."""
        return self._process is not None and self._process.returncode is None

    @property
    def age(self) -> float:
        """Seconds since its start; 0 when it does not run."""
        return time.monotonic() - self.started if self.running else 0.0

    @property
    def pid(self) -> int | None:
        """The process' number while it runs."""
        return self._process.pid if self._process is not None and self.running else None

    async def ensure(self) -> bool:
        """Start it when it does not run; not at once again when it keeps dying. True when it was started now."""
        if self.running or time.monotonic() < self._not_before:
            return False
        if self._process is not None:
            log.warning("%s ended with %s", self.name, self._process.returncode)
        held = await asyncio.to_thread(self._take_lock) if self.lock is not None else None
        try:
            with hidden_as_files(self.command()) as (line, files):
                self._process = await asyncio.create_subprocess_exec(
                    *line,
                    stdin=asyncio.subprocess.DEVNULL,
                    stdout=asyncio.subprocess.DEVNULL,  # ffmpeg prints the key there
                    stderr=asyncio.subprocess.PIPE,
                    pass_fds=files if held is None else (*files, held),
                )
            self._reader = asyncio.create_task(self._read(self._process), name=f"{self.name}-log")
            if held is not None:
                self._write_pid(held, self._process.pid)
        finally:
            if held is not None:
                os.close(held)
        self._slow_down()
        return True

    def _write_pid(self, held: int, pid: int) -> None:
        """Who holds the lock, for a successor that must end it. A disk that just became full must not stop us."""
        try:
            os.ftruncate(held, 0)
            os.pwrite(held, str(pid).encode(), 0)
        except OSError as error:
            log.warning("%s: its number is not kept: %s", self.name, error)

    def _slow_down(self) -> None:
        """Each start soon after the last waits longer before the next."""
        now = time.monotonic()
        self._wait = min(_LONGEST_WAIT, self._wait * 2 + 0.25) if now - self.started < _SHORT_LIFE else 0.0
        self._not_before = now + self._wait
        self.started = now
        self.starts += 1

    async def stop(self, patience: float = 3.0) -> None:
        """Let it finish its last piece; then, or when it hangs, end it."""
        process = self._process
        if process is None:
            return
        if process.returncode is None:
            with suppress(ProcessLookupError):
                process.send_signal(signal.SIGTERM)
            with suppress(TimeoutError):
                await asyncio.wait_for(process.wait(), patience)
        await self.kill()

    async def kill(self) -> None:
        """End it now."""
        process = self._process
        if process is None:
            return
        if process.returncode is None:
            with suppress(ProcessLookupError):
                process.kill()
            await process.wait()
        if self._reader is not None:
            await self._reader
        self._process = None

    async def _read(self, process: asyncio.subprocess.Process) -> None:
        """What ffmpeg complains about goes to our log."""
        assert process.stderr is not None
        while line := await process.stderr.readline():
            log.info("%s: %s", self.name, line.decode(errors="replace").rstrip()[:300])
        await process.wait()

    def _take_lock(self) -> int:
        """The lock's open file. A recorder left over from a supervisor that died is ended first."""
        assert self.lock is not None
        held = os.open(self.lock, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o640)
        for attempt in range(30):
            try:
                fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                if attempt >= _FINISHING:
                    self._end_holder(held)
                time.sleep(0.1)
            else:
                return held
        os.close(held)
        raise StillLocked(f"{self.name}: another recorder holds {self.lock}")

    def _end_holder(self, held: int) -> None:
        number = os.pread(held, 20, 0).decode(errors="replace")
        if not number.isdigit() or self.lock is None:
            return
        with suppress(OSError):
            words = Path(f"/proc/{number}/cmdline").read_bytes()
            if b"ffmpeg" in words and str(self.lock.parent).encode() in words:
                log.warning("%s: ending the recorder %s that was left over", self.name, number)
                os.kill(int(number), signal.SIGKILL)
