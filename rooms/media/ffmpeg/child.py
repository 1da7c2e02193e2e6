"""ffmpeg as a child: started, watched, ended; never two on one playlist, never one without its parent.

The child gets a death signal of its parent from the kernel (`setpriv --pdeathsig`), and a recorder holds its lock by an
open file that only it has: the lock lives exactly as long as the recorder, whoever started it.

Nothing here waits for ever: a process that a dead disk keeps from ending is left behind (`kill`), and whatever touches
the disk is done in the child's lane.
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

from core.lane import DiskHangs, Lane, NotBegun
from rooms.media.srtp import Hidden, hidden_as_files

log = logging.getLogger(__name__)

_SHORT_LIFE = 5.0  # seconds; who dies sooner is started again more slowly
_LONGEST_WAIT = 5.0
_FINISHING = 5  # tenths of a second a recorder left over gets to write its last piece
_LOCK_TRIES = 30  # tenths of a second
_ENDS_WITHIN = 2.0  # seconds after SIGKILL; who waits for a dead disk does not end at all


class StillLocked(RuntimeError):
    """Another recorder holds the playlist and cannot be ended."""


class Child:
    """One ffmpeg that should always run. `command` is asked for at each start; `lock` keeps a second one out.

    Where there is a lock, `ready` is called with it held before each start, and what it returns is `prepared` when the
    command is asked for. Both are work on the disk, in `lane`.
    """

    def __init__(
        self,
        name: str,
        command: Callable[[], Sequence[str | Hidden]],
        lock: Path | None = None,
        lane: Lane | None = None,
        ready: Callable[[], int] = lambda: 0,
    ) -> None:
        self.name = name
        self.command = command
        self.lock = lock
        self.lane = lane or Lane(name)
        self.ready = ready
        self.prepared = 0
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
        """Start it when it does not run; not at once again when it keeps dying. True when it was started now.

        Raises StillLocked, or OSError: DiskHangs where the disk does not answer.
        """
        if self.running or time.monotonic() < self._not_before:
            return False
        if self._process is not None:
            log.warning("%s ended with %s", self.name, self._process.returncode)
        held = None
        if self.lock is not None:
            within = _LOCK_TRIES / 10 + 2
            try:
                taken = await self.lane.run(self._take_lock, within=within, undo=lambda late: os.close(late[0]))
            except (StillLocked, OSError):
                self._slow_down()
                raise
            held, self.prepared = taken
        pid = 0
        try:
            with hidden_as_files(self.command()) as (line, files):
                self._process = await asyncio.create_subprocess_exec(
                    *line,
                    stdin=asyncio.subprocess.DEVNULL,
                    stdout=asyncio.subprocess.DEVNULL,  # ffmpeg prints the key there
                    stderr=asyncio.subprocess.PIPE,
                    pass_fds=files if held is None else (*files, held),
                )
            pid = self._process.pid
            self._reader = asyncio.create_task(self._read(self._process), name=f"{self.name}-log")
        finally:
            if held is not None:
                await self._hand_over(held, pid)
        self._slow_down()
        return True

    async def _hand_over(self, held: int, pid: int) -> None:
        """The lock is the child's alone from now on."""
        try:
            await self.lane.run(lambda: self._write_pid(held, pid))
        except DiskHangs as error:
            log.warning("%s: its number is not kept: %s", self.name, error)
            if isinstance(error, NotBegun):
                await Lane(self.name).run(lambda: os.close(held))

    def _write_pid(self, held: int, pid: int) -> None:
        """Who holds the lock, for a successor that must end it. A disk that just became full must not stop us."""
        try:
            if pid:
                os.ftruncate(held, 0)
                os.pwrite(held, str(pid).encode(), 0)
        except OSError as error:
            log.warning("%s: its number is not kept: %s", self.name, error)
        finally:
            os.close(held)

    def _slow_down(self) -> None:
        """Each start soon after the last waits longer before the next."""
        now = time.monotonic()
        self._wait = min(_LONGEST_WAIT, self._wait * 2 + 0.25) if now - self.started < _SHORT_LIFE else 0.0
        self._not_before = now + self._wait
        self.started = now
        self.starts += 1

    async def stop(self, patience: float = 3.0) -> bool:
        """Let it finish its last piece; then, or when it hangs, end it. False when it could not be ended."""
        process = self._process
        if process is not None and process.returncode is None:
            with suppress(ProcessLookupError):
                process.send_signal(signal.SIGTERM)
            await _ends(process, patience)
        return await self.kill()

    async def kill(self) -> bool:
        """End it now. False when it does not end, because it waits for a disk: then it is left behind, and ends by
        itself when the disk answers or is given up. Until then it holds its port, and its lock keeps others out."""
        process, reader = self._process, self._reader
        self._process = self._reader = None
        if process is None:
            return True
        if process.returncode is None:
            with suppress(ProcessLookupError):
                process.kill()
        if not await _ends(process, _ENDS_WITHIN):
            log.error("%s: process %s does not end, it is left behind", self.name, process.pid)
            return False
        if reader is not None:
            await asyncio.wait([reader], timeout=1.0)  # its last words
        return True

    async def _read(self, process: asyncio.subprocess.Process) -> None:
        """Write to our log what ffmpeg complains about. By pieces, as a line may have any length."""
        assert process.stderr is not None
        while words := await process.stderr.read(4096):
            for line in words.decode(errors="replace").splitlines():
                log.info("%s: %s", self.name, line.rstrip()[:300])
        await process.wait()

    def _take_lock(self) -> tuple[int, int]:
        """The lock's open file, and what `ready` says. A recorder that a dead supervisor left over is ended first."""
        assert self.lock is not None
        held = os.open(self.lock, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o640)
        try:
            for attempt in range(_LOCK_TRIES):
                try:
                    fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
                except BlockingIOError:
                    if attempt >= _FINISHING:
                        self._end_holder(held)
                    time.sleep(0.1)
                else:
                    return held, self.ready()
            raise StillLocked(f"{self.name}: another recorder holds {self.lock}")
        except BaseException:
            os.close(held)
            raise

    def _end_holder(self, held: int) -> None:
        number = os.pread(held, 20, 0).decode(errors="replace")
        if not number.isdigit() or self.lock is None:
            return
        with suppress(OSError):
            words = Path(f"/proc/{number}/cmdline").read_bytes()
            if b"ffmpeg" in words and str(self.lock.parent).encode() in words:
                log.warning("%s: ending the recorder %s that was left over", self.name, number)
                os.kill(int(number), signal.SIGKILL)


async def _ends(process: asyncio.subprocess.Process, within: float) -> bool:
    """Whether a process ends within some seconds."""
    with suppress(TimeoutError):
        await asyncio.wait_for(process.wait(), within)
    return process.returncode is not None
