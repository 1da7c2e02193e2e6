"""One room that fails, at whatever step of the clock, keeps no other one."""

import shutil
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from retention import purge
from rooms.recording import store
from tests.retention.conftest import Facts
from tests.retention.test_purge import WORD, is_gone
from tests.support import traces
from tests.support.rooms import due_at
from tests.support.traces import marked_room

pytestmark = pytest.mark.django_db(transaction=True)


def test_one_room_that_cannot_be_purged_does_not_keep_the_others(monkeypatch: pytest.MonkeyPatch) -> None:
    rooms = [marked_room(WORD, number) for number in range(3)]
    now = max(due_at(room) for room in rooms)
    rmtree = shutil.rmtree

    def broken_disk(root: Path, **kwargs: Any) -> None:
        if root == store.folder(rooms[1].pk):
            raise PermissionError(13, "not ours", str(root))
        rmtree(root, **kwargs)

    monkeypatch.setattr(shutil, "rmtree", broken_disk)
    swept = purge.sweep(now)
    assert sorted(swept.purged) == [rooms[0].pk, rooms[2].pk]
    assert list(swept.failed) == [rooms[1].pk] and "not ours" in swept.failed[rooms[1].pk]
    late = now + timedelta(hours=1)
    assert [(item.room_pk, item.begun) for item in purge.overdue(late)] == [(rooms[1].pk, True)]
    monkeypatch.undo()
    assert purge.sweep(late).purged == [rooms[1].pk]
    assert purge.overdue(late) == [] and is_gone(rooms[1])


def test_one_room_whose_facts_cannot_be_told_does_not_keep_the_others(facts: Facts) -> None:
    """It is not purged, for nobody knows whether it may be; and it is told as overdue."""
    rooms = [marked_room(WORD, number) for number in range(3)]
    now = max(due_at(room) for room in rooms)
    facts[rooms[0].pk] = ["no fact"]  # type: ignore[list-item]
    swept = purge.sweep(now)
    assert sorted(swept.purged) == [rooms[1].pk, rooms[2].pk]
    assert list(swept.failed) == [rooms[0].pk] and "its clock is not known" in swept.failed[rooms[0].pk]
    late = now + timedelta(hours=1)
    assert [item.room_pk for item in purge.overdue(late)] == [rooms[0].pk]
    del facts[rooms[0].pk]
    assert purge.sweep(late).purged == [rooms[0].pk] and purge.overdue(late) == []


def test_one_room_that_cannot_be_tidied_does_not_keep_the_others(monkeypatch: pytest.MonkeyPatch) -> None:
    rooms = [marked_room(WORD, number) for number in range(2)]
    now = max(due_at(room) for room in rooms)
    purge.sweep(now)
    for room in rooms:
        traces.file_with(room, "hls/late.m4s", WORD)
    rmtree = shutil.rmtree

    def broken_disk(root: Path, **kwargs: Any) -> None:
        if root == store.folder(rooms[0].pk):
            raise PermissionError(13, "not ours", str(root))
        rmtree(root, **kwargs)

    monkeypatch.setattr(shutil, "rmtree", broken_disk)
    assert purge.tidy(now) == [rooms[1].pk]
    monkeypatch.undo()
    assert purge.tidy(now) == [rooms[0].pk]
