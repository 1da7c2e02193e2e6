"""The worker's side of own-data downloads: make one, and sweep what is late, lost or over.

One is made at a time, so that other workers of the queue go on with recordings and purges. An attempt holds a lease,
which it renews while it writes. One whose worker was killed is taken up again once the lease is over. It writes to a
name of its own, and renames the file in the transaction that says that it is ready: nobody is given half of one, and a
file that no row names is deleted by the sweep.
"""

from __future__ import annotations

import logging
import re
import secrets
import time
from datetime import datetime, timedelta

from celery.exceptions import SoftTimeLimitExceeded
from django.conf import settings
from django.db import connection, transaction
from django.db.models import Q
from django.utils import timezone

from core.after_commit import after_commit
from core.batches import run_each
from ledger.actions import record
from people import signals
from people.data_export import WITH_FILE
from people.models import DataExport
from people.notify import send
from people.own_data import files
from people.own_data.actions import end, make_again, put_back, queue
from people.own_data.archive import Archive, digest_of

log = logging.getLogger(__name__)

State = DataExport.State
LEASE = timedelta(minutes=5)
RENEWED = 20.0  # seconds between two renewals of a lease
TRIES = 3
PAUSE = timedelta(minutes=10)  # after a failed attempt, and while the disk is full
ONE_AT_A_TIME = 0x5354_4F44  # "STOD": the advisory lock of workers that take up a download
_NAME = re.compile(r"[0-9a-f]{32}\.zip(\.part)?")


class Superseded(RuntimeError):
    """The attempt is not this worker's any more."""


class Attempt:
    """One attempt at a download, by its file's name."""

    def __init__(self, export: DataExport) -> None:
        self.export = export
        self.rooms: set[int] = set()
        self._renewed = time.monotonic()

    def touch(self) -> None:
        """Renew the lease now and then. Raises Superseded."""
        if time.monotonic() - self._renewed >= RENEWED:
            self._update(lease_until=timezone.now() + LEASE)

    def enter(self, room: int) -> None:
        """Note that something of a room will be in the file, before it is read. Raises Superseded."""
        if room not in self.rooms:
            self.rooms.add(room)
            self._update(rooms=sorted(self.rooms), lease_until=timezone.now() + LEASE)

    def rows(self) -> tuple[DataExport, list[DataExport]]:
        """Lock and return the row, and others of the same person that have a file. Raises Superseded."""
        rows = DataExport.objects.select_for_update(no_key=True).filter(person=self.export.person_id)
        found = list(rows.filter(state__in=WITH_FILE).order_by("pk"))
        mine = next((row for row in found if row.state == State.MAKING and row.file == self.export.file), None)
        if mine is None:
            raise Superseded
        return mine, [row for row in found if row is not mine]

    def _update(self, **values: object) -> None:
        rows = DataExport.objects.filter(pk=self.export.pk, file=self.export.file, state=State.MAKING)
        if not rows.update(**values):
            raise Superseded
        self._renewed = time.monotonic()


def make(pk: int) -> bool:
    """Make a download that waits, or whose worker was killed. Returns whether it is ready now."""
    export = _claim(pk)
    if export is None:
        return False
    attempt = Attempt(export)
    path = files.unfinished(export.file)
    try:
        root = f"own-data-{export.person.handle}"
        number = Archive(path, root, timezone.now(), attempt.touch, attempt.enter).write(export.person)
        _finish(attempt, digest_of(path, attempt.touch), number)
    except Superseded:
        log.info("own-data download %d goes on in another attempt, or is over", pk)
        return False
    except Exception as error:
        _failed(attempt, error)
        if isinstance(error, SoftTimeLimitExceeded):
            raise
        return False
    finally:
        path.unlink(missing_ok=True)
        queue_next()
    return True


def queue_next() -> None:
    """Queue the download that waits longest, if one is due."""
    now = timezone.now()
    due = Q(state=State.WAITING, next_at__lte=now) | Q(state=State.MAKING, lease_until__lte=now)
    pk = DataExport.objects.filter(due).order_by("next_at", "pk").values_list("pk", flat=True).first()
    if pk is not None:
        run_each([pk], queue, "queueing an own-data download")


@transaction.atomic
def _claim(pk: int) -> DataExport | None:
    """Take up a download; None where it is over or not due yet, and while a worker makes one."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [ONE_AT_A_TIME])
    now = timezone.now()
    if DataExport.objects.filter(state=State.MAKING, lease_until__gt=now).exists():
        return None
    rows = DataExport.objects.select_for_update(of=("self",), no_key=True, skip_locked=True).select_related("person")
    export = rows.filter(Q(state=State.WAITING, next_at__lte=now) | Q(state=State.MAKING, lease_until__lte=now), pk=pk)
    row = export.first()
    if row is None:
        return None
    files.remove(row.file)  # of a worker that was killed
    if not row.person.is_active or (row.expires_at is not None and row.expires_at <= now):
        end(row, State.EXPIRED, now)
        return None
    if row.attempts >= TRIES:
        _give_up(row, now)
        return None
    row.state, row.lease_until, row.rooms = State.MAKING, now + LEASE, []
    row.file, row.attempts = f"{secrets.token_hex(16)}.zip", row.attempts + 1
    files.folder()
    row.save()
    return row


@transaction.atomic
def _finish(attempt: Attempt, sha256: str, number: int) -> None:
    """Give the file its name and make the download ready; an earlier one of the same person is deleted."""
    (row, others), now = attempt.rows(), timezone.now()
    for earlier in others:
        after_commit(files.remove, earlier.file)
        end(earlier, State.EXPIRED, now)
    path = files.unfinished(row.file)
    row.size, row.sha256 = path.stat().st_size, sha256
    row.state, row.lease_until, row.attempts, row.ready_at = State.READY, None, 0, now
    row.expires_at = row.expires_at or now + timedelta(days=settings.OWN_DATA_DAYS)
    first = row.told_at is None
    row.told_at = row.told_at or now
    row.save()
    if first:
        signals.own_data_settled.send(sender=DataExport, export=row)
        send(row.person, "people/email/own_data_ready.txt", export=row, days=settings.OWN_DATA_DAYS)
    path.rename(files.path_of(row.file))
    values = {"export": row.pk, "sha256": sha256, "bytes": row.size, "files": number}
    record("own_data_made", f"person:{row.person_id}", None, values)


@transaction.atomic
def _failed(attempt: Attempt, error: Exception) -> None:
    """Try again later; after TRIES attempts, which a full disk is none of, the download has failed."""
    try:
        row, _others = attempt.rows()
    except Superseded:
        return
    now = timezone.now()
    if files.is_full(error):
        log.warning("own-data download %d waits: %s", row.pk, error)
        row.attempts -= 1
    else:
        log.error("own-data download %d failed", row.pk, exc_info=error)
    _give_up(row, now) if row.attempts >= TRIES else put_back(row, now + PAUSE)


def _give_up(row: DataExport, now: datetime) -> None:
    end(row, State.FAILED, now)
    signals.own_data_settled.send(sender=DataExport, export=row)


# --- sweep ----------------------------------------------------------------------------------------------------------


def sweep() -> None:
    """Delete downloads whose time is over and files that no row names; have those made again that were lost."""
    now = timezone.now()
    over = DataExport.objects.filter(state=State.READY, expires_at__lte=now)
    run_each(list(over.values_list("pk", flat=True)), expire, "deleting an own-data download")
    ready = DataExport.objects.filter(state=State.READY).values_list("pk", "file")
    gone = [pk for pk, file in ready if not files.path_of(file).is_file()]
    run_each(gone, _replace, "making a lost own-data download again")
    _remove_left()
    queue_next()


@transaction.atomic
def expire(pk: int) -> bool:
    """Delete a download whose time is over; its row says when. Returns whether there was one."""
    now = timezone.now()
    rows = DataExport.objects.select_for_update(no_key=True).filter(pk=pk, state=State.READY, expires_at__lte=now)
    row = rows.first()
    if row is not None:
        files.remove(row.file)
        end(row, State.EXPIRED, now)
    return row is not None


@transaction.atomic
def _replace(pk: int) -> None:
    """Have a download made again whose file is not there: another folder, or a database from a backup."""
    row = DataExport.objects.select_for_update(no_key=True).filter(pk=pk, state=State.READY).first()
    if row is not None and not files.path_of(row.file).is_file():
        log.warning("the file of own-data download %d is gone: it is made again", pk)
        make_again(row, timezone.now())


def _remove_left() -> None:
    """Delete downloads that no row names. A row names its file before there is one."""
    there = [path for path in files.folder().iterdir() if _NAME.fullmatch(path.name)]
    named = set(DataExport.objects.filter(state__in=WITH_FILE).values_list("file", flat=True))
    for path in there:
        if path.name.removesuffix(files.UNFINISHED) not in named:
            path.unlink(missing_ok=True)
