"""A child that a dead disk keeps from ending: it is left behind, nobody waits for it, and nobody writes beside it."""

from __future__ import annotations

import asyncio
import os
import struct
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from rooms.media.ffmpeg import child as ffmpeg_child
from rooms.media.ffmpeg.child import Child, StillLocked
from tests.support.root import PREFIX
from tests.support.waiting import wait_until

_INIT_ANSWER = struct.pack("<IIIIHHIIHHI28x", 7, 31, 65536, 0, 12, 9, 131072, 1, 32, 0, 0)


# Run by root: mounts a disk at its argument for the user behind it, tells when it is there and when it is asked, and
# answers nothing but the greeting. It unmounts when its input ends.
SERVE = r"""
import os, subprocess, sys, threading
folder, uid, gid, greeting = sys.argv[1:]
device = os.open("/dev/fuse", os.O_RDWR)
options = f"fd={device},rootmode=40000,user_id={uid},group_id={gid}"
mount = ["mount", "-i", "-t", "fuse", "-o", options, "stamtafel-test", folder]
subprocess.run(mount, check=True, pass_fds=(device,))
print("mounted", flush=True)
def listen():
    question = os.read(device, 1 << 20)
    answer = bytes.fromhex(greeting)
    os.write(device, (16 + len(answer)).to_bytes(4, "little") + bytes(4) + question[8:16] + answer)
    while True:
        os.read(device, 1 << 20)
        print("asked", flush=True)
threading.Thread(target=listen, daemon=True).start()
sys.stdin.read()
subprocess.run(["umount", "--force", "--lazy", folder], check=True)
os._exit(0)
"""


@contextmanager
def dead_disk(folder: Path) -> Iterator[threading.Event]:
    """A disk that takes every question and answers none: no signal ends who waits for it. The event: it was asked."""
    if not Path("/dev/fuse").exists():
        pytest.fail("this test needs a dead disk: have /dev/fuse")
    folder.mkdir()
    asked = threading.Event()
    words = [str(folder), str(os.geteuid()), str(os.getegid()), _INIT_ANSWER.hex()]
    line = [*PREFIX, sys.executable, "-I", "-c", SERVE, *words]
    with subprocess.Popen(line, text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as server:
        assert server.stdin is not None and server.stdout is not None
        said = server.stdout
        if said.readline() != "mounted\n":
            pytest.fail("this test mounts a disk of its own; run it as root, or let sudo do it without a question")

        def listen() -> None:
            for _line in said:
                asked.set()

        threading.Thread(target=listen, daemon=True).start()
        try:
            yield asked
        finally:
            server.stdin.close()
            server.wait(30)


def state(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return ""


async def test_a_child_that_cannot_end_is_left_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The fault: `kill` waited for it without an end, and all rooms with it."""
    monkeypatch.setattr(ffmpeg_child, "_ENDS_WITHIN", 0.2)
    monkeypatch.setattr(ffmpeg_child, "_LOCK_TRIES", 2)
    monkeypatch.setattr(ffmpeg_child, "_FINISHING", 5)
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
