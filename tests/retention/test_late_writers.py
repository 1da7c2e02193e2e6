"""Late writers undo no purge: workers that finish, fail or draw while the copy is purged."""

from __future__ import annotations

import threading
from typing import Any

import pytest
from django.db import connection

from retention import purge
from rooms import actions
from rooms.models import Recording, RecordingFile, Room
from rooms.recording import marker, store
from rooms.recording.finishing import finish as finishing
from tests.retention.test_purge import is_gone
from tests.support.rooms import due_at, open_room

pytestmark = pytest.mark.django_db(transaction=True)


class Late:
    """A worker that finishes a recording, stopped in the middle of it until `go_on`."""

    def __init__(self, room: Room, monkeypatch: pytest.MonkeyPatch, outcome: Any) -> None:
        self.room, self.outcome = room, outcome
        self.there, self.released = threading.Event(), threading.Event()
        self.error: BaseException | None = None
        monkeypatch.setattr(finishing, "_mix", self.mix)
        self.thread = threading.Thread(target=self.run)
        self.thread.start()
        assert self.there.wait(60)

    def mix(self, *_args: Any) -> Any:
        self.there.set()
        assert self.released.wait(60)
        if isinstance(self.outcome, BaseException):
            raise self.outcome
        return self.outcome

    def run(self) -> None:
        try:
            finishing.finish(self.room)
        except Exception as error:
            self.error = error
        finally:
            connection.close()

    def go_on(self) -> None:
        self.released.set()
        self.thread.join(60)
        assert not self.thread.is_alive()


def over() -> Room:
    room = open_room("host")
    actions.end_room(room.pk, room.host)
    room.refresh_from_db()
    return room


@pytest.mark.parametrize("outcome", [([], 0), RuntimeError("late"), OSError(28, "No space left on device")])
def test_a_worker_that_comes_to_an_end_after_the_purge(monkeypatch: pytest.MonkeyPatch, outcome: Any) -> None:
    """Its failure was written over "purged", and the sweep began anew."""
    room = over()
    late = Late(room, monkeypatch, outcome)
    assert purge.sweep(due_at(room)).purged == [room.pk]
    late.go_on()
    assert Recording.objects.get(room=room).state == Recording.State.PURGED and is_gone(room)
    assert not RecordingFile.objects.exists() and not store.folder(room.pk).exists()


def test_a_worker_that_read_the_recording_before_the_purge_and_begins_after_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """Between reading and "being finished" a purge may come."""
    room = over()
    check = marker.check

    def purged_meanwhile() -> None:
        monkeypatch.setattr(marker, "check", check)
        assert purge.sweep(due_at(room)).purged == [room.pk]

    monkeypatch.setattr(marker, "check", purged_meanwhile)
    assert finishing.finish(room).state == Recording.State.PURGED
    assert is_gone(room)
