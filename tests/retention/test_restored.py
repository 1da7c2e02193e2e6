"""A backup that is put back knows rooms that were purged since: they are purged again before anything is served."""

import os
import shutil
import subprocess
from datetime import timedelta
from pathlib import Path

import pytest
from django.conf import settings
from django.core.management import call_command
from django.db import connections

from deploy.local.postgres import OWNER
from ledger.models import Entry
from ledger.verify import verify
from retention import purge, receipts
from retention.models import PurgeReceipt
from rooms.models import Room
from rooms.recording import store
from tests.retention.test_purge import WORD, outside_lines
from tests.support.laid_cases import LAID
from tests.support.privileges import migrations_database, superuser
from tests.support.rooms import due_at
from tests.support.traces import everywhere, marked_room

pytestmark = pytest.mark.django_db(transaction=True)


def as_owner(*line: str) -> None:
    """One of PostgreSQL's programs as the tables' owner; its command line, which all may read, has no password."""
    given = migrations_database()
    env = {f"PG{name}": str(given[name]) for name in ("USER", "PASSWORD", "HOST", "PORT")}
    subprocess.run([*line, f"--role={OWNER}"], env={**os.environ, **env}, check=True, timeout=60)


def dump(file: Path) -> None:
    as_owner("pg_dump", "--format=custom", f"--file={file}", "--dbname=stamtafel")


def put_back(file: Path) -> None:
    connections.close_all()
    as_owner("pg_restore", "--clean", "--if-exists", "--single-transaction", "--dbname=stamtafel", str(file))


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
