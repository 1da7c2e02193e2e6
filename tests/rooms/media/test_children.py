"""A child that a dead disk keeps from ending: it is left behind, nobody waits for it, and nobody writes beside it."""

from __future__ import annotations

import asyncio
import os
import struct
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from rooms.media import children
from rooms.media.children import Child, StillLocked
from tests.rooms.media.conftest import wait_until

_INIT_ANSWER = struct.pack("<IIIIHHIIHHI28x", 7, 31, 65536, 0, 12, 9, 131072, 1, 32, 0, 0)


def as_root(*command: str, pass_fds: tuple[int, ...] = ()) -> None:
    line = command if os.geteuid() == 0 else ("sudo", "-n", *command)
    done = subprocess.run(line, capture_output=True, text=True, check=False, pass_fds=pass_fds)
    if done.returncode:
        pytest.fail(f"{' '.join(line)}: {done.stderr.strip()}: this test mounts a disk of its own; run it as root")


@contextmanager
def dead_disk(folder: Path) -> Iterator[threading.Event]:
    """A disk that takes every question and answers none: no signal ends who waits for it. The event: it was asked."""
    if not Path("/dev/fuse").exists():
        pytest.fail("this test needs a dead disk: have /dev/fuse")
    folder.mkdir()
    asked = threading.Event()
    device = os.open("/dev/fuse", os.O_RDWR)
    options = f"fd={device},rootmode=40000,user_id={os.geteuid()},group_id={os.getegid()}"
    as_root("mount", "-i", "-t", "fuse", "-o", options, "stamtafel-test", str(folder), pass_fds=(device,))

    def listen() -> None:
        with suppress(OSError):  # it was unmounted
            question = os.read(device, 1 << 20)
            (unique,) = struct.unpack_from("<Q", question, 8)
            os.write(device, struct.pack("<IiQ", 16 + len(_INIT_ANSWER), 0, unique) + _INIT_ANSWER)
            while True:
                os.read(device, 1 << 20)
                asked.set()

    listener = threading.Thread(target=listen, daemon=True)
    listener.start()
    try:
        yield asked
    finally:
        as_root("umount", "--force", "--lazy", str(folder))
        listener.join(30)
        os.close(device)


def state(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return ""


async def test_a_child_that_cannot_end_is_left_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The fault: `kill` waited for it without an end, and all rooms with it."""
    monkeypatch.setattr(children, "_ENDS_WITHIN", 0.2)
    monkeypatch.setattr(children, "_LOCK_TRIES", 2)
    monkeypatch.setattr(children, "_FINISHING", 5)
    lock = tmp_path / ".lock"
    with dead_disk(tmp_path / "dead") as asked:
        child = Child("a recorder", lambda: ["cat", str(tmp_path / "dead" / "file")], lock)
        assert await child.ensure()
        pid = child.pid
        assert pid is not None
        assert await asyncio.to_thread(asked.wait, 30)
        began = time.monotonic()
        assert await child.stop(0.2) is False
        assert time.monotonic() - began < 20 and state(pid) == "D" and not child.running
        with pytest.raises(StillLocked):
            child._not_before = 0.0
            await child.ensure()
        other = Child("another", lambda: ["sleep", "600"])
        assert await other.ensure() and await other.stop() is True
    await asyncio.to_thread(wait_until, lambda: state(pid) in ("", "Z", "X"), 30, "its end")
    child.command = lambda: ["sleep", "600"]
    child._not_before = 0.0
    assert await child.ensure(), "the disk is given up: the next writes"
    assert await child.kill() is True
