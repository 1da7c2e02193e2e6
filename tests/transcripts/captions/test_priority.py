"""The captions process gives way to all others, however it was started."""

from __future__ import annotations

import ctypes
import json
import os
import platform
import pty
import re
import subprocess
import sys

import pytest
from django.conf import settings

from transcripts.captions.priority import A_SHARE, ATTR, AUTOGROUP, NICE, SLICE_MS, WHAT_IS_LEFT, Share

# What the process does first, and then what it is like, as its last thread finds it.
GIVES_WAY = """
import json, os, threading
from pathlib import Path
from transcripts.captions.priority import AUTOGROUP, give_way
give_way()
def tell():
    group = AUTOGROUP.read_text().split()[-1] if AUTOGROUP.exists() else None
    print(json.dumps([os.getpid(), os.getsid(0), os.getpgid(0), os.nice(0), group, threading.get_native_id()]))
thread = threading.Thread(target=lambda: (tell(), input()))
thread.start()
"""
# A process without privileges that was late and has kept up since.
TAKES_AND_GIVES_BACK = """
import ctypes, os, time
from transcripts.captions.priority import A_SHARE, AUTOGROUP, WHAT_IS_LEFT, give_way
if os.geteuid() == 0:
    os.setgid(65534)
    os.setuid(65534)
    ctypes.CDLL(None).prctl(4, 1)  # PR_SET_DUMPABLE: its files in /proc are its own, as after a start
share = give_way()
for nice in (A_SHARE, WHAT_IS_LEFT):
    while not share.set_session(nice):
        time.sleep(0.05)
    print(AUTOGROUP.read_text().split()[-1] if AUTOGROUP.exists() else nice)
"""


class Started:
    """A process that gives way, in the process group that the system gives it or in one of its own."""

    def __init__(self, group: int | None, *, session: bool = False, stdin: int = subprocess.PIPE) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-c", GIVES_WAY],
            cwd=settings.BASE_DIR,
            stdin=stdin,
            stdout=subprocess.PIPE,
            process_group=group,
            start_new_session=session,
        )
        assert self.process.stdout is not None
        self.pid, self.session, self.group, self.nice, self.weight, self.thread = json.loads(
            self.process.stdout.readline()
        )

    def end(self) -> None:
        self.process.kill()
        self.process.communicate()


def slice_ms(thread: int) -> float:
    """Return the slice that a thread asked for; 0 where it did not."""
    number = {"x86_64": 315, "aarch64": 275}[platform.machine()]  # sched_getattr
    attr = ctypes.create_string_buffer(ATTR.size)
    assert ctypes.CDLL(None).syscall(number, thread, attr, ATTR.size, 0) == 0
    runtime: int = ATTR.unpack(attr.raw)[5]
    return runtime / 1_000_000


@pytest.mark.parametrize("group", [None, 0], ids=["in its parent's group", "as supervisord starts it"])
def test_it_has_a_session_that_gives_way(group: int | None) -> None:
    started = Started(group)
    try:
        assert started.session == started.group == started.pid
        assert started.nice == NICE
        if AUTOGROUP.exists():
            assert int(started.weight) == WHAT_IS_LEFT
    finally:
        started.end()


def test_a_session_of_its_own_stays() -> None:
    started = Started(None, session=True)
    try:
        assert started.session == started.pid
    finally:
        started.end()


def test_at_a_terminal_it_can_be_interrupted() -> None:
    terminal, stdin = pty.openpty()
    started = Started(None, stdin=stdin)
    try:
        assert started.session == os.getsid(0)
        assert started.nice == NICE
    finally:
        started.end()
        os.close(terminal)
        os.close(stdin)


def test_threads_that_begin_later_have_long_slices() -> None:
    release = tuple(map(int, re.findall(r"\d+", platform.release())[:2]))
    started = Started(None)
    try:
        assert slice_ms(started.thread) == (SLICE_MS if release >= (6, 12) else 0)
    finally:
        started.end()


def test_without_privileges_a_share_is_taken_and_given_back() -> None:
    done = subprocess.run(
        [sys.executable, "-c", TAKES_AND_GIVES_BACK],
        cwd=settings.BASE_DIR,
        capture_output=True,
        text=True,
        start_new_session=True,
    )
    assert done.stdout.split() == [str(A_SHARE), str(WHAT_IS_LEFT)], done.stderr


def test_captions_that_are_late_take_a_share_until_they_have_kept_up() -> None:
    set_to: list[int] = []

    def set_session(nice: int) -> bool:
        set_to.append(nice)
        return True

    share = Share(set_session)
    for now, age in [(0.0, 0.3), (1.0, 1.9), (2.0, 2.1), (3.0, 5.0), (4.0, 0.4), (10.0, 0.6), (11.0, 0.2), (20.9, 0.2)]:
        share.update(now, age)
    assert set_to == [A_SHARE]
    share.update(21.1, 0.2)
    assert set_to == [A_SHARE, WHAT_IS_LEFT]


def test_what_linux_refuses_for_now_is_tried_again() -> None:
    answers = [False, True]
    share = Share(lambda _nice: answers.pop(0))
    owned = []
    for now in (0.0, 0.1, 0.2):
        share.update(now, 3.0)
        owned.append(share.own)
    assert owned == [False, True, True]
