"""Tracks that Janus writes into memory go on to the disk, whole and in order, whatever happens on the way."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from rooms.recording import store, track_memory
from tests.support.smalldisk import small_disk

ROOM = 7
NAME = "audiobridge-room-7-user-seat-1-5-audio.mjr"


@pytest.fixture
def places(settings: Any, tmp_path: Path) -> Iterator[Path]:
    """Memory as it usually is, and a disk."""
    settings.RECORDINGS_DIR = tmp_path / "recordings"
    with small_disk(tmp_path / "memory", 8):
        settings.WINDOW_DIR = tmp_path / "memory" / "window"
        store.tracks_folder(ROOM).mkdir(parents=True)
        track_memory.make(ROOM)
        yield tmp_path


def janus(data: bytes) -> None:
    """Janus writes on."""
    with (track_memory.folder(ROOM) / NAME).open("ab") as file:
        file.write(data)


def on_disk() -> bytes:
    return (store.tracks_folder(ROOM) / NAME).read_bytes()


def test_what_is_written_goes_on_and_takes_no_memory(places: Path) -> None:
    whole = b""
    with (track_memory.folder(ROOM) / NAME).open("ab", buffering=0) as file:  # open all the time, as by Janus
        for number in range(40):
            part = os.urandom(30_000 + number)
            whole += part
            file.write(part)
            assert track_memory.drain(ROOM)
            assert on_disk() == whole
    held = (track_memory.folder(ROOM) / NAME).stat()
    assert held.st_size == len(whole) > 1_000_000 and held.st_blocks * 512 < 16_384
    assert track_memory.rooms() == [ROOM]
    track_memory.remove(ROOM)
    assert track_memory.rooms() == [] and track_memory.drain(ROOM) and on_disk() == whole


def test_on_a_full_disk_it_waits(places: Path, settings: Any) -> None:
    whole = os.urandom(1_500_000)
    with small_disk(places / "small", 2) as disk:
        settings.RECORDINGS_DIR = disk.folder
        store.tracks_folder(ROOM).mkdir(parents=True)
        disk.leave(300_000)
        janus(whole)
        with pytest.raises(OSError, match="No space left"):
            track_memory.drain(ROOM)
        assert whole.startswith(on_disk()) and len(on_disk()) < len(whole)
        disk.empty()
        assert track_memory.drain(ROOM) and on_disk() == whole


def test_another_supervisor_goes_on_where_the_first_one_was(places: Path) -> None:
    """The length of the file on disk is the position; a part of a page that is in memory twice is written once."""
    first, second = os.urandom(5_000), os.urandom(5_000)
    janus(first)
    track_memory.drain(ROOM)
    janus(second)
    with track_memory._alone(track_memory.folder(ROOM)) as alone:
        assert alone and not track_memory.drain(ROOM), "one at a time"
    assert track_memory.drain(ROOM) and on_disk() == first + second


def test_a_beginning_that_was_lost_is_not_made_up(places: Path, caplog: pytest.LogCaptureFixture) -> None:
    janus(os.urandom(100_000))
    track_memory.drain(ROOM)
    (store.tracks_folder(ROOM) / NAME).unlink()
    janus(b"more")
    assert track_memory.drain(ROOM)
    assert not set(on_disk()) and "its beginning was lost" in caplog.text


def test_nothing_is_made_where_the_recording_is_gone(places: Path) -> None:
    janus(b"sound")
    store.remove_folder(store.folder(ROOM))
    with pytest.raises(FileNotFoundError):
        track_memory.drain(ROOM)
    assert not store.folder(ROOM).exists()


def test_memory_that_is_not_ours_alone_is_not_used(places: Path) -> None:
    track_memory.home().chmod(0o777)
    with pytest.raises(PermissionError):
        track_memory.make(8)
    assert track_memory.rooms() == []
