"""The share of the processor that captions take from others: what is left, while they keep up.

Linux weighs sessions against each other (autogroup, `man 7 sched`), and a nice value counts only within its session:
against a process that has a session of its own, as each connection of PostgreSQL has, it says nothing at all. So
captions have one as well, and set its nice value, which may also be taken back. All threads, but for the one that
watches how late they are, have the policy for what is idle: a core on which they alone run counts as free for who looks
for one. Threads that hear have long slices, too: who wakes with a shorter one goes first at once, instead of when that
of who runs is over (since Linux 6.12; older ones take no notice). What these are worth is in
docs/subsystems/captions.md.
"""

from __future__ import annotations

import ctypes
import logging
import os
import platform
import struct
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from core.loops import keep_thread
from transcripts.captions.ladder import EARLY_FOR, LATE

log = logging.getLogger(__name__)

NICE = 5  # within a session or a control group; without privileges it cannot be taken back
WHAT_IS_LEFT = 19  # the nice value of the session while captions keep up …
A_SHARE = 5  # … and while they do not: a third of what all others of the site have together
LOOK = 0.5  # seconds between two looks at how late captions are
SLICE_MS = 100  # the longest that Linux gives
AUTOGROUP = Path("/proc/self/autogroup")
ENABLED = Path("/proc/sys/kernel/sched_autogroup_enabled")
CONTROL_GROUPS = Path("/proc/self/cgroup")
SHARES = Path("/sys/fs/cgroup")  # where control groups have their `cpu.weight`; the first one of all has none
SCHED_SETATTR = {"x86_64": 314, "aarch64": 274}  # the number of the system call, for which Python has no name
ATTR = struct.Struct("=IIQiIQQQ")  # struct sched_attr: size, policy, flags, nice, priority, runtime, deadline, period


def goes_on() -> None:
    """Leave a thread as it is."""


@dataclass
class Share:
    """The share that captions take: what is left, or one of their own from when they are late until they have kept up
    for a while, as at first. The ladder takes its first step two seconds later."""

    set_session: Callable[[int], bool] | None = None  # returns False where it has to be tried again; None: no session
    hear_last: Callable[[], None] = goes_on  # the thread that loads an engine does so
    be_idle: Callable[[], None] = goes_on  # and then all others
    own: bool = True
    _late_at: float | None = None

    def watch(self, age: Callable[[], float]) -> None:
        """Follow the age of the oldest work, in seconds, until the process ends. The thread for it is not idle, so call
        this before `be_idle`: where others want all cores, idle threads have no time to find out that they are late."""
        if self.set_session is not None:
            keep_thread("share of captions", lambda: self._follow(age))

    def _follow(self, age: Callable[[], float]) -> None:
        while True:
            self.update(time.monotonic(), age())
            time.sleep(LOOK)

    def update(self, now: float, age: float) -> None:
        """Take a share or give it back, for the age of the oldest work in seconds."""
        if age > LATE or self._late_at is None:
            self._late_at = now
        own = now - self._late_at < EARLY_FOR
        if self.set_session is None or own == self.own:
            return
        if self.set_session(A_SHARE if own else WHAT_IS_LEFT):
            self.own = own


def give_way() -> Share:
    """Let everybody else go first, from now on, as far as this system can."""
    os.nice(max(0, NICE - os.nice(0)))
    if not (sessions_are_weighed() and has_own_session()):
        return Share(hear_last=ask_for_long_slices)
    share = Share(set_session, hear_last, be_idle)
    set_session(A_SHARE)
    return share


def hear_last() -> None:
    """Let this thread, and all that it starts, run long without a break when nobody else has to."""
    ask_for_long_slices()  # without privileges this is refused once a thread is idle
    be_idle()


def be_idle() -> None:
    """Let this thread, and all that it starts, have what is left. Not in a session without a share of its own: beside
    what wants all cores that is nothing. And not some threads alone: Linux divides the session's share among cores by
    what the threads there weigh, and these weigh nothing beside others."""
    try:
        os.sched_setscheduler(0, os.SCHED_IDLE, os.sched_param(0))
    except OSError as error:  # a filter of system calls: captions go on as they are
        log.warning("captions do not wait for what others leave: %s", error)


def sessions_are_weighed() -> bool:
    """Whether Linux weighs this process by its session: it does unless that is switched off, and but for processes in a
    control group with a share of the processor."""
    if not ENABLED.exists() or ENABLED.read_text().strip() != "1":
        return False
    for line in CONTROL_GROUPS.read_text().splitlines():
        _number, controllers, path = line.split(":", 2)
        if "cpu" in controllers.split(",") and path != "/":
            return False
        if not controllers and (SHARES / path.lstrip("/") / "cpu.weight").exists():
            return False
    return True


def has_own_session() -> bool:
    """Leave the session of who started this process, unless that is a person at a terminal, whose Ctrl-C would not come
    any more; returns whether it has one of its own."""
    if os.getsid(0) != os.getpid() and not os.isatty(0):
        with suppress(OSError):  # of a parent that is gone, or in another session
            os.setpgid(0, os.getpgid(os.getppid()))  # whoever leads a group of processes may not leave
        with suppress(PermissionError):
            os.setsid()
    return os.getsid(0) == os.getpid()


def set_session(nice: int) -> bool:
    """Set the nice value of this process' own session; returns False where it has to be tried again."""
    try:
        AUTOGROUP.write_text(str(nice))
    except BlockingIOError:  # not more than ten times a second
        return False
    except OSError as error:
        log.warning("the share of the processor stays as it is: %s", error)
    return True


def ask_for_long_slices() -> None:
    """Let this thread, and all that it starts, run long without a break, and break off for who wakes up."""
    number = SCHED_SETATTR.get(platform.machine())
    if number is None:
        return
    attr = ATTR.pack(ATTR.size, os.SCHED_OTHER, 0, os.nice(0), 0, SLICE_MS * 1_000_000, 0, 0)
    if ctypes.CDLL(None, use_errno=True).syscall(number, 0, attr, 0) != 0:
        log.info("no long slices: %s", os.strerror(ctypes.get_errno()))
