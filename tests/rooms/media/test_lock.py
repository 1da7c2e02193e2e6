"""One supervisor a site, also where its lock cannot be written: the disk is full, or turned read-only."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError

from rooms.management.commands.media import _locks
from tests.support.hungdisk import hung_disk
from tests.support.smalldisk import small_disk


@contextmanager
def held() -> Generator[None]:
    """As a supervisor holds them."""
    with _locks() as locks:
        for lock in locks:
            lock.wait()
        yield


def is_kept_out() -> bool:
    """Whether a second one would wait."""
    with _locks() as locks:
        return not all(lock.take() for lock in locks)


@pytest.fixture
def places(tmp_path: Path, settings: Any) -> Any:
    settings.RECORDINGS_DIR, settings.WINDOW_DIR = tmp_path / "recordings", tmp_path / "window"
    return settings


def test_a_second_one_waits(places: Any) -> None:
    assert not is_kept_out()
    with held():
        assert is_kept_out()
    assert not is_kept_out()


def test_on_a_read_only_disk_too_and_also_when_it_can_be_written_again(places: Any) -> None:
    lock = places.RECORDINGS_DIR / ".supervisor"
    with small_disk(places.RECORDINGS_DIR, 1) as disk:
        for _lock_is_there in (False, True):
            disk.read_only(True)
            with held():
                assert is_kept_out()
                disk.read_only(False)
                assert is_kept_out()
            assert lock.exists()


@pytest.mark.parametrize("place", ["WINDOW_DIR", "RECORDINGS_DIR"])
def test_one_place_is_enough_and_none_is_not(places: Any, place: str) -> None:
    getattr(places, place).write_text("no folder")
    with held():
        assert is_kept_out()
    other = places.WINDOW_DIR if place == "RECORDINGS_DIR" else places.RECORDINGS_DIR
    (other / ".supervisor").unlink()
    other.rmdir()
    other.write_text("no folder")
    with pytest.raises(CommandError, match="no place for a lock"), held():
        pass


def test_one_that_was_killed_and_cannot_end_keeps_nobody_out(places: Any) -> None:
    """As where a thread of it waits for a dead disk: the process is a zombie, and what it had open stays open."""
    places.WINDOW_DIR.mkdir(mode=0o750)
    program = """
import fcntl, os, subprocess, sys
lock = os.open(sys.argv[1], os.O_RDWR | os.O_CREAT)
fcntl.flock(lock, fcntl.LOCK_EX)
os.pwrite(lock, str(os.getpid()).encode(), 0)
print(subprocess.Popen(["sleep", "600"], pass_fds=[lock], stdout=subprocess.DEVNULL).pid, flush=True)
sys.stdin.read()
"""
    line = [sys.executable, "-c", program, str(places.WINDOW_DIR / ".supervisor")]
    with subprocess.Popen(line, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as first:
        assert first.stdout is not None
        keeper = int(first.stdout.readline())
        try:
            assert is_kept_out() and is_kept_out(), "it lives"
            first.kill()
            os.waitid(os.P_PID, first.pid, os.WEXITED | os.WNOWAIT)  # dead, and not buried
            with held():
                assert is_kept_out(), "a third one waits for the second"
        finally:
            os.kill(keeper, signal.SIGKILL)
    assert not is_kept_out()


def test_a_disk_that_hangs_keeps_no_supervisor_waiting(places: Any) -> None:
    with hung_disk(places.RECORDINGS_DIR) as disk:
        with held():
            pass
        for _lock_is_there in (False, True):
            disk.hang()
            with held():
                assert is_kept_out()
                disk.answer()
                assert is_kept_out()
