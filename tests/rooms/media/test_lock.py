"""One supervisor a site, also where its lock cannot be written: the disk is full, or turned read-only."""

from __future__ import annotations

import fcntl
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError

from rooms.management.commands.media import _locks, _wait_for
from tests.smalldisk import small_disk


@contextmanager
def held() -> Generator[None]:
    """As a supervisor holds them."""
    with _locks() as locks:
        for lock in locks:
            _wait_for(lock)
        yield


def is_kept_out() -> bool:
    """Whether a second one would wait."""
    with _locks() as locks:
        for lock in locks:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                return True
    return False


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
