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
import time
from pathlib import Path

import pytest
from django.conf import settings

from tests.support.waiting import wait_until
from tests.transcripts.captions.pieces import EverySecond
from tests.transcripts.pieces import never
from transcripts.captions import priority
from transcripts.captions.priority import A_SHARE, ATTR, NICE, SLICE_MS, WHAT_IS_LEFT, Share, sessions_are_weighed
from transcripts.captions.process import Captioner

# What the process does first, and then what it is like, and a thread that hears.
GIVES_WAY = """
import json, os, threading
from pathlib import Path
from transcripts.captions.priority import AUTOGROUP, give_way
share = give_way()
groups = AUTOGROUP.read_text().split() if AUTOGROUP.exists() else []  # empty in the session of the first process
group = groups[-1] if groups else None
def begin():
    share.hear_last()
    threading.Thread(target=hear).start()
def hear():
    loaded.wait()
    policies = [os.sched_getscheduler(os.getpid()), os.sched_getscheduler(0)]
    like = [os.getpid(), os.getsid(0), os.getpgid(0), os.nice(0), group, policies, threading.get_native_id()]
    print(json.dumps(like), flush=True)
    input()
loaded = threading.Event()
loader = threading.Thread(target=begin)
loader.start()
loader.join()
share.be_idle()
loaded.set()
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
        told = json.loads(self.process.stdout.readline())
        self.pid, self.session, self.group, self.nice, self.weight, self.policies, self.thread = told

    def __enter__(self) -> Started:
        return self

    def __exit__(self, *_raised: object) -> None:
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
    with Started(group) as started:
        assert started.nice == NICE
        if not sessions_are_weighed():  # in a container, for instance
            assert started.policies == [os.SCHED_OTHER] * 2
            return
        assert started.policies == [os.SCHED_IDLE] * 2
        assert started.session == started.group == started.pid
        assert int(started.weight) == A_SHARE


def test_a_session_of_its_own_stays() -> None:
    with Started(None, session=True) as started:
        assert started.session == started.pid


def test_at_a_terminal_it_can_be_interrupted() -> None:
    terminal, stdin = pty.openpty()
    with Started(None, stdin=stdin) as started:
        assert started.session == os.getsid(0)
        assert started.nice == NICE
        assert started.policies == [os.SCHED_OTHER] * 2
    os.close(terminal)
    os.close(stdin)


def test_threads_that_hear_have_long_slices() -> None:
    release = tuple(map(int, re.findall(r"\d+", platform.release())[:2]))
    with Started(None) as started:
        assert slice_ms(started.thread) == (SLICE_MS if release >= (6, 12) else 0)
        assert slice_ms(started.pid) < SLICE_MS, "not the one that keeps the leases"


def test_without_privileges_a_share_is_taken_and_given_back() -> None:
    done = subprocess.run(
        [sys.executable, "-c", TAKES_AND_GIVES_BACK],
        cwd=settings.BASE_DIR,
        capture_output=True,
        text=True,
        start_new_session=True,
    )
    assert not done.stderr
    if sessions_are_weighed():
        assert done.stdout.split() == [str(A_SHARE), str(WHAT_IS_LEFT)]


def test_captions_that_are_late_take_a_share_until_they_have_kept_up() -> None:
    set_to: list[int] = []

    def set_session(nice: int) -> bool:
        set_to.append(nice)
        return True

    share = Share(set_session)
    for now, age in [(0.0, 0.0), (9.9, 1.9)]:
        share.update(now, age)
    assert not set_to, "at first it has a share"
    share.update(10.1, 1.9)
    assert set_to == [WHAT_IS_LEFT]
    for now, age in [(11.0, 2.1), (12.0, 5.0), (13.0, 1.0), (21.9, 0.0)]:
        share.update(now, age)
    assert set_to == [WHAT_IS_LEFT, A_SHARE]
    share.update(22.1, 1.9)
    assert set_to == [WHAT_IS_LEFT, A_SHARE, WHAT_IS_LEFT]


def test_captions_that_have_no_time_to_find_out_that_they_are_late_take_a_share() -> None:
    """The thread that works does not get there: another one, which is not idle, finds out."""
    set_to: list[tuple[int, int]] = []

    def set_session(nice: int) -> bool:
        set_to.append((nice, os.sched_getscheduler(0)))
        return True

    share = Share(set_session)
    share.own, share._late_at = False, float("-inf")
    captioner = Captioner(never, EverySecond, share)
    assert captioner._has_engine(time.monotonic())
    wait_until(lambda: set_to, 5, "it has not come round for two seconds")
    assert set_to == [(A_SHARE, os.SCHED_OTHER)]


def test_what_linux_refuses_for_now_is_tried_again() -> None:
    answers = [False, True]
    share = Share(lambda _nice: answers.pop(0))
    owned = []
    for now in (0.0, 11.0, 11.5):
        share.update(now, 0.0)
        owned.append(share.own)
    assert owned == [True, True, False]


@pytest.mark.parametrize(
    ("enabled", "groups", "weighed"),
    [
        ("1", "0::/\n", True),
        ("0", "0::/\n", False),
        ("1", "3:cpuset:/x\n2:cpu,cpuacct:/\n0::/x\n", True),
        ("1", "2:cpu,cpuacct:/docker/1\n", False),
        ("1", "0::/weighed\n", False),
    ],
    ids=["as it comes", "switched off", "of another control group", "in a control group", "in one of today's"],
)
def test_a_session_counts_unless_a_control_group_does(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, enabled: str, groups: str, weighed: bool
) -> None:
    for name, text in (("ENABLED", enabled), ("CONTROL_GROUPS", groups)):
        (tmp_path / name).write_text(text)
        monkeypatch.setattr(priority, name, tmp_path / name)
    (tmp_path / "weighed").mkdir()
    (tmp_path / "weighed" / "cpu.weight").write_text("100")
    monkeypatch.setattr(priority, "SHARES", tmp_path)
    assert priority.sessions_are_weighed() is weighed
