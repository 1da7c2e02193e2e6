"""A backup that is put back knows rooms that were purged since: they are purged again before anything is served."""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.core.management import CommandError, call_command
from django.utils import timezone

from core import after_restore, append_file
from ledger.models import Entry
from ledger.verify import verify
from retention import purge, receipts
from retention.models import AppliedReceipts, PurgeReceipt
from rooms.models import Room
from rooms.recording import store
from tests.retention.test_purge import WORD, outside_lines
from tests.support.laid_cases import LAID
from tests.support.privileges import superuser
from tests.support.restored import dump, put_back
from tests.support.rooms import due_at
from tests.support.traces import everywhere, marked_room

pytestmark = pytest.mark.django_db(transaction=True)


def test_receipts_are_applied_again_to_a_backup_that_was_put_back(tmp_path: Path) -> None:
    room, kept = marked_room(WORD), marked_room("keptword", 1)
    Room.objects.filter(pk=kept.pk).update(ended_at=due_at(kept))
    dump(tmp_path / "backup")
    shutil.copytree(settings.RECORDINGS_DIR, tmp_path / "recordings")
    now = due_at(room)
    assert purge.sweep(now).purged == [room.pk]
    call_command("ledger", "anchor")
    put_back(tmp_path / "backup")
    shutil.copytree(tmp_path / "recordings", settings.RECORDINGS_DIR, dirs_exist_ok=True)
    assert everywhere(WORD) >= {f"file recordings/{room.pk}/mix.m4a", "rooms_room.topic"}
    assert not PurgeReceipt.objects.exists() and any("is gone" in problem for problem in verify().problems)
    call_command("ledger", "restored", "put back for this test")
    assert purge.reapply(now + timedelta(days=1)) == [room.pk]
    assert everywhere(WORD) == {"people_user.display_name"}
    assert store.folder(kept.pk).exists() and not Room.objects.get(pk=kept.pk).purged_at
    kinds = Entry.objects.order_by("seq").values_list("kind", flat=True)
    assert list(kinds) == [*LAID, *LAID, "purge_reapplied", "purged"]
    receipt = PurgeReceipt.objects.get()
    assert receipt.begun_at == now and receipt.digest == receipts.digest(receipt)
    assert verify().problems == [] and len(outside_lines()) == 1
    assert purge.reapply(now + timedelta(days=2)) == []


def test_another_room_that_got_the_number_of_a_lost_one_is_not_purged() -> None:
    room = marked_room(WORD)
    purge.sweep(due_at(room))
    with superuser() as connected:  # no guard of ours lets a purged room become another one
        connected.execute("SET session_replication_role = 'replica'")
        connected.execute("UPDATE rooms_room SET slug = 'another', purged_at = NULL WHERE id = %s", [room.pk])
    assert purge.reapply() == []


def test_lines_that_were_not_written_with_our_key_purge_nothing(caplog: pytest.LogCaptureFixture) -> None:
    room = marked_room(WORD)
    purge.sweep(due_at(room))
    victim = marked_room("victimword", 1)
    file = receipts.file_of(due_at(room))
    forged = file.read_text().splitlines()[0].replace(room.slug, victim.slug)
    forged = forged.replace(f'"room":{room.pk}', f'"room":{victim.pk}')
    with file.open("a") as out:
        out.write(f"{forged}\n{{torn\n[]\n")
    assert [row["room"] for row in receipts.read_all()] == [room.pk]
    assert caplog.text.count("no receipt of ours") == 3
    assert purge.reapply() == [] and store.folder(victim.pk).exists()


def served(*, refused: bool = False) -> str:
    """Load the site as any ASGI server does; returns what it writes."""
    line = [sys.executable, "-c", "import config.asgi"]
    done = subprocess.run(line, env=dict(os.environ), capture_output=True, text=True, timeout=60)
    assert (done.returncode != 0) is refused, done.stderr
    return done.stderr


def test_no_process_serves_before_receipts_are_applied(tmp_path: Path) -> None:
    """However it is started, and whether or not anybody thought of a command."""
    room = marked_room(WORD)
    dump(tmp_path / "backup")
    purge.sweep(due_at(room))
    put_back(tmp_path / "backup")
    assert Room.objects.get(pk=room.pk).purged_at is None
    assert "1 rooms were purged since it was made: purged again" in served()
    assert Room.objects.get(pk=room.pk).purged_at and PurgeReceipt.objects.get().finished_at is None
    assert purge.sweep().purged == [room.pk], "the next sweep deletes what the process made unreadable"
    assert everywhere(WORD) == {"people_user.display_name"}


def test_a_restore_that_nobody_declared_is_refused_before_the_ledger_goes_on(tmp_path: Path) -> None:
    """Entries in the place of lost ones that were anchored would look like a forgery for ever."""
    room = marked_room(WORD)
    dump(tmp_path / "backup")
    purge.sweep(due_at(room))
    call_command("ledger", "anchor")
    put_back(tmp_path / "backup")
    assert "manage.py ledger restored" in served(refused=True)
    with pytest.raises(CommandError, match="say so"):
        call_command("retention", "reapply")
    assert Room.objects.get(pk=room.pk).purged_at is None
    call_command("ledger", "restored", "put back for this test")
    assert "purged again" in served() and Room.objects.get(pk=room.pk).purged_at
    call_command("retention", "reapply")
    assert verify().problems == []


def test_without_the_receipts_that_the_database_knows_nothing_is_served(tmp_path: Path) -> None:
    """A disk that is not mounted must not read as: nothing was purged."""
    room = marked_room(WORD)
    purge.sweep(due_at(room))
    away = Path(settings.OUTSIDE_DIR).rename(tmp_path / "away")
    assert "mount OUTSIDE_DIR" in served(refused=True)
    with pytest.raises(receipts.OutsideGone):
        after_restore.apply()
    away.rename(settings.OUTSIDE_DIR)
    assert after_restore.apply() == []


def test_a_backup_put_back_under_a_running_worker_is_seen_before_its_next_task(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    room = marked_room(WORD)
    dump(tmp_path / "backup")
    monkeypatch.setattr(after_restore, "_applied_to", None)
    after_restore.begin()
    purge.sweep(due_at(room))
    after_restore.look_again()
    put_back(tmp_path / "backup")
    assert Room.objects.get(pk=room.pk).purged_at is None
    after_restore.look_again()
    assert Room.objects.get(pk=room.pk).purged_at
    known = after_restore.identity()
    after_restore.look_again()
    assert after_restore.identity() == known, "and once"


def test_lines_are_read_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """A process that starts later reads only new lines, however many years of receipts there are."""
    room = marked_room(WORD)
    purge.sweep(due_at(room))
    file = receipts.file_of(due_at(room))
    assert receipts.mark_new(timezone.now()) == []
    assert AppliedReceipts.objects.get().size == file.stat().st_size
    with file.open("a") as out:
        out.write('{"torn')
    read: list[int] = []
    real = append_file.read_new_rows

    def noted(path: Path, begin: int) -> Iterator[tuple[int, dict[str, Any] | None]]:
        read.append(begin)
        return real(path, begin)

    monkeypatch.setattr(append_file, "read_new_rows", noted)
    assert receipts.mark_new(timezone.now()) == [] and read == [AppliedReceipts.objects.get().size]
    assert AppliedReceipts.objects.get().size < file.stat().st_size, "a line that is being written waits for its end"


def test_a_file_that_became_shorter_is_read_anew_and_reported(caplog: pytest.LogCaptureFixture) -> None:
    room = marked_room(WORD)
    purge.sweep(due_at(room))
    AppliedReceipts.objects.create(month=receipts.file_of(due_at(room)).name, size=10**9)
    assert receipts.mark_new(timezone.now()) == [] and "shorter than it was" in caplog.text
    assert AppliedReceipts.objects.get().size == receipts.file_of(due_at(room)).stat().st_size


def test_a_room_that_came_back_live_is_purged_once_it_is_over() -> None:
    """A backup of before its end, put back after its purge."""
    room = marked_room(WORD)
    purge.sweep(due_at(room))
    with superuser() as connected:
        connected.execute("SET session_replication_role = 'replica'")
        connected.execute("DELETE FROM retention_purgereceipt")
        connected.execute(
            "UPDATE rooms_room SET status = 'live', ended_at = NULL, end_reason = '', purged_at = NULL WHERE id = %s",
            [room.pk],
        )
    assert receipts.mark_new(timezone.now()) == []
    with superuser() as connected:
        connected.execute("SET session_replication_role = 'replica'")
        connected.execute(
            "UPDATE rooms_room SET status = 'ended', ended_at = now(), end_reason = 'host' WHERE id = %s", [room.pk]
        )
    assert receipts.mark_new(timezone.now()) == [room.pk] and receipts.mark_new(timezone.now()) == []
