"""Recordings are in one folder: whoever has another one refuses, changes nothing, and tries again."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from datetime import timedelta
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.core.management import CommandError, call_command
from django.utils import timezone

from config import health
from core import bus
from deploy.local.process import start, stop
from deploy.local.programs import command
from ledger.models import Entry
from retention import purge
from retention.models import PurgeReceipt
from retention.tasks import sweep as sweep_retention
from rooms import actions
from rooms.models import Recording, RecordingsFolder, Room
from rooms.recording import marker, store
from rooms.recording.delivery import links
from rooms.recording.finishing import space
from rooms.recording.finishing.finish import finish
from rooms.recording.tasks import finish_recording
from rooms.rules.refusals import RoomRefused
from tests.support.processes import Site
from tests.support.rooms import due_at, open_room
from tests.support.traces import marked_room
from tests.support.waiting import wait_until

pytestmark = pytest.mark.django_db(transaction=True)

LONG = 120.0  # seconds; each wait ends as soon as it can


@pytest.fixture
def elsewhere(tmp_path: Path, settings: Any) -> Callable[[], Path]:
    """From its call on this process has another disk."""

    def move() -> Path:
        settings.RECORDINGS_DIR = tmp_path / "other"
        settings.RECORDINGS_DIR.mkdir(exist_ok=True)
        marker.forget()
        return tmp_path / "other"

    return move


def test_the_first_one_marks_an_empty_folder_and_others_know_it() -> None:
    assert marker.trouble() == "" and marker.read_marker() is None, "looking marks nothing"
    marker.check()
    found, row = marker.read_marker(), RecordingsFolder.objects.get()
    assert found == marker.Marker(row.folder, True)
    marker.check()
    assert RecordingsFolder.objects.get() == row and marker.is_signed()


def test_of_two_processes_with_two_empty_disks_one_marks_its_own(tmp_path: Path) -> None:
    line = [sys.executable, "manage.py", "shell", "-v", "0", "-c", "from rooms.recording import marker; marker.check()"]
    folders = [tmp_path / name for name in ("one", "two")]
    both = [
        subprocess.Popen(line, env={**os.environ, "RECORDINGS_DIR": str(folder)}, stderr=subprocess.PIPE, text=True)
        for folder in folders
    ]
    wrong = [process.communicate(timeout=LONG)[1] for process in both]
    assert sorted(process.returncode for process in both) == [0, 1], wrong
    assert any("is not the folder of our recordings: it has no marker" in text for text in wrong)
    assert sum((folder / marker.NAME).exists() for folder in folders) == 1


def test_a_folder_of_an_older_version_is_adopted_and_any_other_is_not(elsewhere: Callable[[], Path]) -> None:
    """It has recordings and no marker, and the database knows of none."""
    home = Path(settings.RECORDINGS_DIR)
    marked_room("word")
    other = elsewhere()
    with pytest.raises(marker.OtherFolder, match="none of the recordings that the database knows"):
        marker.check()
    settings.RECORDINGS_DIR = home
    marker.check()
    settings.RECORDINGS_DIR = other
    with pytest.raises(marker.OtherFolder, match="has no marker"):
        marker.check()
    assert list(other.iterdir()) == []


def test_a_folder_of_another_installation_is_refused(elsewhere: Callable[[], Path]) -> None:
    other = elsewhere()
    (other / "918273").mkdir()
    with pytest.raises(marker.OtherFolder, match="of rooms that the database does not know"):
        marker.check()
    for text in (json.dumps({"folder": "0" * 32, "signed": "x"}), "", "[]", '{"folder": 5, "signed": 6}'):
        (other / marker.NAME).write_text(text)
        with pytest.raises(marker.OtherFolder, match="another installation"):
            marker.check()
    assert not RecordingsFolder.objects.exists()


def test_killed_between_file_and_database_the_next_one_takes_it_up() -> None:
    marker.check()
    folder = RecordingsFolder.objects.get().folder
    RecordingsFolder.objects.all().delete()
    marker.check()
    assert RecordingsFolder.objects.get().folder == folder


def test_nothing_changes_on_another_disk(elsewhere: Callable[[], Path], caplog: pytest.LogCaptureFixture) -> None:
    """It said "ready" without a file, and wrote a receipt of a copy that it never saw."""
    room, due = open_room(), marked_room("word")
    actions.end_room(room.pk, room.host)
    purge.purge([due.pk], timezone.now())  # not due: nothing but the marker is made
    home, address = Path(settings.RECORDINGS_DIR), links.address(due.pk, "mix", due.host, "mix.m4a")
    other = elsewhere()
    assert "not the folder" in finish_recording(room.pk)
    assert Recording.objects.get(room=room).state == Recording.State.RUNNING
    assert Recording.objects.get(room=room).attempts == 0
    swept = purge.sweep(due_at(due))
    assert swept.purged == [] and "not the folder of our recordings" in swept.failed[due.pk]
    with pytest.raises(marker.OtherFolder):
        purge.purge([due.pk], due_at(due))
    with pytest.raises(marker.OtherFolder):
        purge.tidy()
    with pytest.raises(CommandError, match="not the folder of our recordings"):
        call_command("retention", "tidy")
    with pytest.raises(RoomRefused, match="unavailable"):
        actions.download_everything(due.pk, due.host)
    due.refresh_from_db()
    assert due.purged_at is None and not PurgeReceipt.objects.exists() and list(other.iterdir()) == []
    assert "ERROR" in caplog.text
    found = health.run_check(health.recordings)
    assert found["state"] == "failed" and "manage.py recordings adopt" in found["detail"]
    assert ask(address) == 503
    settings.RECORDINGS_DIR = home
    marker.forget()
    found = health.run_check(health.recordings)
    assert found["state"] == "degraded" and "other" in found["detail"], "another process refused a moment ago"
    bus.client().delete(bus.key(marker.REFUSED))
    assert health.run_check(health.recordings)["state"] == "ok" and ask(address) == 200
    assert finish(room).state == Recording.State.READY
    assert purge.sweep(due_at(due)).purged == [due.pk]


def ask(address: str) -> int:
    from django.test import Client

    return int(Client().get(address).status_code)


def test_a_disk_that_is_taken_away_is_as_good_as_full(tmp_path: Path) -> None:
    """The supervisor looks each second: recording pauses, rooms go on in memory."""
    folder = Path(settings.RECORDINGS_DIR)
    marker.check()
    assert space.measure(folder).trouble == ""
    (folder / marker.NAME).rename(tmp_path / "taken")
    assert "no marker" in space.measure(folder).trouble
    (tmp_path / "taken").rename(folder / marker.NAME)
    assert space.measure(folder).trouble == ""


def test_an_operator_moves_recordings_to_another_folder(elsewhere: Callable[[], Path]) -> None:
    home = Path(settings.RECORDINGS_DIR)
    due = marked_room("word")
    marker.check()
    other = elsewhere()
    with pytest.raises(marker.OtherFolder):
        marker.check()
    out = StringIO()
    call_command("recordings", stdout=out)
    assert f"folder: {other}: it has no marker" in out.getvalue()
    call_command("recordings", "adopt", why="the old disk is dead", stdout=out, stderr=out)
    assert f"recordings are kept in {other}" in out.getvalue() and "files that are not there" in out.getvalue()
    marker.check()
    entry = Entry.objects.get(kind="recordings_adopted")
    assert entry.data["folder"] == str(RecordingsFolder.objects.get().folder) != entry.data["before"] != ""
    settings.RECORDINGS_DIR = home
    with pytest.raises(marker.OtherFolder, match="an older one of ours"):
        marker.check()
    assert store.mix_path(due.pk).exists()
    (home / marker.NAME).write_text("another's")
    with pytest.raises(CommandError, match="another installation"):
        call_command("recordings", "adopt", why="by mistake")


def test_a_second_worker_with_another_disk(site: Site, tmp_path: Path) -> None:
    """A real one: it finishes nothing and purges nothing, stays up, and the right one does both."""
    room, due = open_room(), marked_room("word")
    actions.end_room(room.pk, room.host)
    then = timezone.now() - timedelta(days=40)
    for ended in (room, due):
        Room.objects.filter(pk=ended.pk).update(started_at=then - timedelta(hours=1), ended_at=then)
    marker.check()
    Room.objects.filter(pk=room.pk).update(started_at=timezone.now() - timedelta(hours=1), ended_at=timezone.now())
    site.start("work", RECORDINGS_DIR=str(tmp_path))
    finish_recording.delay(room.pk)
    sweep_retention.delay()
    refusal = "is not the folder of our recordings"
    wait_until(lambda: site.log("work").read_text().count(refusal) >= 2, LONG, "two refusals")
    assert Recording.objects.get(room=room).state == Recording.State.RUNNING
    assert not PurgeReceipt.objects.exists() and list(tmp_path.iterdir()) == []
    assert str(tmp_path) in (bus.client().get(bus.key(marker.REFUSED)) or "")
    assert site.running["work"].poll() is None
    site.stop("work")
    site.start("work")
    finish_recording.delay(room.pk)
    sweep_retention.delay()
    wait_until(lambda: Recording.objects.get(room=room).state == Recording.State.READY, LONG, "its recording")
    wait_until(lambda: PurgeReceipt.objects.filter(finished_at__isnull=False).exists(), LONG, "the purge")
    receipt = PurgeReceipt.objects.get()
    assert receipt.room == due.pk and receipt.file_count > 0 and not any(file.get("missing") for file in receipt.files)


def test_a_second_supervisor_with_another_disk(site: Site, tmp_path: Path) -> None:
    """A real one: it had locks of its own and built every room again, elsewhere. Now it waits until it has the disk."""
    room = open_room()
    site.start("media")
    wait_until(lambda: bus.client().hexists(bus.key("media:rooms"), str(room.pk)), LONG, "the room, built")
    owner = RecordingsFolder.objects.get().folder
    log = site.log("second")
    second = start(command("media"), log, {**os.environ, "RECORDINGS_DIR": str(tmp_path / "recordings")})
    try:
        (tmp_path / "recordings").mkdir()
        wait_until(lambda: "is not the folder of our recordings" in log.read_text(), LONG, "its refusal")
        site.kill("media")
        seen = log.read_text().count("is not the folder")
        wait_until(lambda: log.read_text().count("is not the folder") >= seen + 2, LONG, "two more refusals")
        assert not bus.client().exists(bus.key("media:heartbeat")) and second.poll() is None
        assert [path.name for path in (tmp_path / "recordings").iterdir()] == []
        (tmp_path / "recordings" / marker.NAME).write_bytes((Path(settings.RECORDINGS_DIR) / marker.NAME).read_bytes())
        wait_until(lambda: bus.client().exists(bus.key("media:heartbeat")), LONG, "its sign of life")
        assert RecordingsFolder.objects.get().folder == owner
    finally:
        stop(second, patience=8.0)
