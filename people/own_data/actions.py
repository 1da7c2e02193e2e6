"""Ask for an own-data download, and take one away: its time is over, or something in it was purged."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from core.after_commit import after_commit
from core.quotas import person_key
from core.throttle import Limit
from ledger.actions import record
from people.data_export import UNDER_WAY, WITH_FILE
from people.models import DataExport, User
from people.own_data import files
from people.refusals import PeopleRefused

State = DataExport.State
ASKS = Limit("own_data", settings.OWN_DATA_A_DAY / 1440, settings.OWN_DATA_A_DAY, PeopleRefused, code="own_data_often")
NOTED = timedelta(hours=1)  # a download that goes on where it stopped is noted once


@transaction.atomic
def ask_for_data(user: User) -> DataExport:
    """Ask for a download of everything that is kept of an account; one that is under way already is returned instead.

    Raises PeopleRefused: account_closed, own_data_often.
    """
    person = User.objects.select_for_update(no_key=True).get(pk=user.pk)
    if not person.is_active:
        raise PeopleRefused("account_closed")
    if before := DataExport.objects.filter(person=person, state__in=UNDER_WAY).first():
        return before
    ASKS.check(person_key(person.pk))
    export = DataExport.objects.create(person=person)
    record("own_data_asked", f"person:{person.pk}", person.pk, {"export": export.pk})
    after_commit(queue, export.pk)
    return export


def queue(pk: int) -> None:
    """Have a worker make a download. One whose message is lost is queued again by the sweep."""
    from people.tasks import make_own_data

    make_own_data.delay(pk)


def make_without(rooms: Sequence[int]) -> int:
    """Delete downloads that hold something of these rooms, and have them made again; returns how many.

    For the purge of rooms, once nobody can read their copies, and for what closes a recording. Runs in the caller's
    transaction. A download that is being made is begun again: its worker notes that before its next byte.
    """
    with transaction.atomic():
        rows = DataExport.objects.select_for_update(no_key=True).filter(state__in=WITH_FILE, rooms__overlap=list(rooms))
        exports = list(rows.order_by("pk"))
        for export in exports:
            make_again(export, timezone.now())
    return len(exports)


def make_again(export: DataExport, now: datetime) -> None:
    """Delete the ZIP of a download, whose row is locked, and have it made anew for the time that is left. It is over
    where there is none, or where its person asked for another one since."""
    files.remove(export.file)
    another = DataExport.objects.filter(person=export.person_id, state__in=UNDER_WAY).exclude(pk=export.pk)
    export.attempts = 0
    is_over = export.expires_at is not None and export.expires_at <= now
    end(export, State.EXPIRED, now) if is_over or another.exists() else put_back(export, now)
    if export.state == State.WAITING:
        after_commit(queue, export.pk)


def put_back(export: DataExport, next_at: datetime) -> None:
    """Let a download wait for a worker, without what an attempt left in its row."""
    export.state, export.next_at = State.WAITING, next_at
    export.file, export.lease_until, export.rooms = "", None, []
    export.save()


def end(export: DataExport, state: str, now: datetime) -> None:
    """Make a download failed or expired; its row says when."""
    export.state, export.ended_at = state, now
    export.file, export.lease_until, export.rooms = "", None, []
    export.save()


@transaction.atomic
def discard_own_data(user_pk: int) -> None:
    """Delete every download of an account, also one that is being made: for its deletion. May run again."""
    rows = DataExport.objects.select_for_update(no_key=True).filter(person=user_pk, ended_at=None).order_by("pk")
    for export in list(rows):
        files.remove(export.file)
        end(export, State.EXPIRED, timezone.now())


def ready_export(user: User, pk: int) -> DataExport | None:
    """Return a download that its owner may fetch now; None for any other account, and once it is over."""
    rows = DataExport.objects.filter(pk=pk, person=user, person__is_active=True, state=State.READY)
    return rows.filter(expires_at__gt=timezone.now()).select_related("person").first()


@transaction.atomic
def note_download(export: DataExport) -> None:
    """Record in the ledger that a download was fetched, once an hour."""
    row = DataExport.objects.select_for_update(no_key=True).get(pk=export.pk)
    now = timezone.now()
    if row.downloaded_at is not None and now - row.downloaded_at < NOTED:
        return
    row.downloaded_at = now
    row.save(update_fields=["downloaded_at"])
    values = {"export": row.pk, "sha256": row.sha256}
    record("own_data_downloaded", f"person:{row.person_id}", row.person_id, values)
