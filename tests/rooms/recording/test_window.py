"""Sound in memory: gone with its room, and nobody else's folder is touched for it."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import Any

import pytest

from rooms.recording import store
from rooms.recording.hls import window


@pytest.fixture
def memory(tmp_path: Path, settings: Any) -> Path:
    settings.WINDOW_DIR = tmp_path / "memory"
    return Path(settings.WINDOW_DIR)


def age(folder: Path) -> None:
    then = time.time() - window.OLD - 1
    os.utime(folder, (then, then))


def test_what_is_over_goes_and_what_is_heard_stays(memory: Path) -> None:
    for pk in (1, 2, 3, 4):
        window.make(pk)
        (store.window_folder(pk) / "0-0.m4s").write_bytes(b"sound")
    assert {path.stat().st_mode & 0o027 for path in (memory, *memory.iterdir())} == {0}, "nobody else may look"
    (memory / "kept").mkdir()
    (memory / "5").write_text("a file")
    elsewhere = memory.parent / "elsewhere"
    elsewhere.mkdir()
    (memory / "6").symlink_to(elsewhere)
    for pk in (2, 3):
        age(store.window_folder(pk))
    window.sweep(live={2, 3, 4}, paused={2})
    assert sorted(path.name for path in memory.iterdir()) == ["2", "4", "5", "6", "kept"]
    assert elsewhere.is_dir()
    for pk in (2, 3, 5, 6):
        window.remove(pk)
    assert sorted(path.name for path in memory.iterdir()) == ["4", "5", "6", "kept"] and elsewhere.is_dir()


def test_nothing_is_done_where_others_may_write(memory: Path) -> None:
    window.sweep(live=(), paused=())
    window.remove(1)
    assert not memory.exists(), "what is not there is not made to be emptied"
    theirs = memory.parent / "theirs"
    (theirs / "7").mkdir(parents=True)
    memory.symlink_to(theirs)
    planted(theirs)
    memory.unlink()
    theirs.rename(memory)
    memory.chmod(0o1777)  # as /tmp and /dev/shm themselves
    planted(memory)


def planted(holds: Path) -> None:
    window.sweep(live=(), paused=())
    window.remove(7)
    with pytest.raises(PermissionError, match="not a folder of ours alone"):
        window.make(8)
    assert [path.name for path in holds.iterdir()] == ["7"]


def test_a_room_s_folder_that_somebody_planted_is_refused(memory: Path) -> None:
    window.home()
    (memory.parent / "theirs").mkdir()
    store.window_folder(1).symlink_to(memory.parent / "theirs")
    with pytest.raises(PermissionError):
        window.make(1)
