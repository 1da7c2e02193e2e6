"""Receipts outside of the database: signed JSON lines, one file per month, append-only.

A restored backup of the database holds rooms that were purged after it was made. `mark_purged_again` finds them by
these receipts, before anything is served.
"""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Iterator, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from core import append_file
from core.after_restore import after_restore, restore_checks
from core.batches import batched
from ledger import chain
from ledger.actions import Act, record_all
from retention.models import AppliedReceipts, PurgeReceipt
from rooms.models import Recording, Room

log = logging.getLogger(__name__)

MOMENTS = ("ended_at", "due_at", "begun_at")
CHUNK = 1_000


def content(receipt: PurgeReceipt) -> dict[str, Any]:
    """The fields of a receipt that never change, as JSON: what is signed and what `digest` covers."""
    return {
        "room": receipt.room,
        "slug": receipt.slug,
        "rule": receipt.rule,
        **{name: chain.stamp(getattr(receipt, name)) for name in MOMENTS},
        "files": receipt.files,
    }


def digest(receipt: PurgeReceipt) -> str:
    """Compute the SHA-256 of a receipt's content (hex), which the ledger records."""
    return hashlib.sha256(chain.canonical_json(content(receipt))).hexdigest()


def file_of(moment: datetime) -> Path:
    """Return the file for receipts of this month (UTC)."""
    return Path(settings.RECEIPTS_DIR) / f"{chain.stamp(moment)[:7]}.jsonl"


@transaction.atomic
def keep_outside(rooms: Sequence[int], now: datetime) -> None:
    """Append the receipts of these rooms that are not written outside yet. Those locked by another process are skipped.

    A process killed between write and commit leaves a line that is written again later; duplicates do no harm.
    """
    receipts = list(
        PurgeReceipt.objects.select_for_update(skip_locked=True).filter(room__in=rooms, kept_at=None).order_by("pk")
    )
    lines: dict[Path, list[dict[str, Any]]] = {}
    for receipt in receipts:
        row = content(receipt)
        row["signed"] = chain.sign(settings.LEDGER_KEY, "receipt", row)
        lines.setdefault(file_of(receipt.begun_at), []).append(row)
    for file, rows in lines.items():
        append_file.append_rows(file, rows)
    PurgeReceipt.objects.filter(pk__in=[receipt.pk for receipt in receipts]).update(kept_at=now)


def files() -> list[Path]:
    """Return the files of receipts outside, oldest month first."""
    folder = Path(settings.RECEIPTS_DIR)
    return sorted(folder.glob("*.jsonl")) if folder.is_dir() else []


def checked(row: dict[str, Any] | None, where: str) -> dict[str, Any] | None:
    """Return a line's receipt without its signature; None, and a line in the log, where it has no valid one."""
    signed = row.pop("signed", None) if row is not None else None
    if row is not None and signed == chain.sign(settings.LEDGER_KEY, "receipt", row):
        return row
    log.error("%s is no receipt of ours: left out", where)
    return None


def read_all() -> Iterator[dict[str, Any]]:
    """Yield all receipts outside, oldest month first. Lines without a valid signature are logged and left out."""
    for file in files():
        for number, row in append_file.read_rows(file):
            if (receipt := checked(row, f"{file.name}, line {number}")) is not None:
                yield receipt


def mark_purged_again(now: datetime | None = None) -> list[int]:
    """Mark rooms as purged that have a receipt outside and, after a restore, none in the database. Return their keys.

    The purge then finishes them as any purge that was begun. Rooms are matched by key and address: after a restore a
    new room may get the key of a lost one.
    """
    now = now or timezone.now()
    again: list[int] = []
    for rows in batched(read_all(), CHUNK):
        again += mark_chunk({row["room"]: row for row in rows}, now)
    return again


class OutsideGone(Exception):
    """The receipts that this database knows of are not where OUTSIDE_DIR says."""


def mark_new(now: datetime) -> list[int]:
    """Do the same for the receipts that were not applied to this database yet: all that were written since the last
    time, and after a restore all since its backup."""
    applied = dict(AppliedReceipts.objects.values_list("month", "size"))
    again: list[int] = []
    for file in files():
        begin, size = applied.get(file.name, 0), file.stat().st_size
        if begin > size:
            log.error("%s is shorter than it was: was an old one put back? It is read from its beginning", file.name)
            begin = 0
        if begin == size:
            continue
        keys, reached = _mark_file(file, begin, now)
        again += keys
        AppliedReceipts.objects.update_or_create(month=file.name, defaults={"size": reached})
    return again


def _mark_file(file: Path, begin: int, now: datetime) -> tuple[list[int], int]:
    """Apply a file's receipts from a position on. Returns the rooms marked, and the position up to which nothing is
    left: before a room that a backup has brought back live, which its receipt waits for until it is over."""
    again: list[int] = []
    reached, waits = begin, False
    for lines in batched(append_file.read_new_rows(file, begin), CHUNK):
        read = [checked(row, f"{file.name}, up to byte {end}") for end, row in lines]
        rows = {row["room"]: row for row in read if row is not None}
        again += mark_chunk(rows, now)
        slugs = [row["slug"] for row in rows.values()]
        waits = waits or Room.objects.filter(pk__in=rows, slug__in=slugs, purged_at=None).exists()
        reached = reached if waits else lines[-1][0]
    return again, reached


@restore_checks.register("retention.receipts")
def require_outside() -> None:
    """Raise OutsideGone where the file of the newest receipt that this database knows to be outside is not there:
    another folder, or a disk that is not mounted."""
    last = PurgeReceipt.objects.exclude(kept_at=None).order_by("-pk").values_list("begun_at", flat=True).first()
    if last is not None and not file_of(last).exists():
        raise OutsideGone(
            f"{file_of(last)} is not there, so purges after a backup may be unknown: mount OUTSIDE_DIR, or name the "
            "right folder. If it is lost for good, make that file, empty, by hand"
        )


def mark_chunk(rows: dict[int, dict[str, Any]], now: datetime) -> list[int]:
    """Restore receipts and mark as purged, in one transaction, the rooms of `rows` that are not purged here."""
    with transaction.atomic():
        rooms = (
            Room.objects.select_for_update(of=("self",), no_key=True).filter(pk__in=rows, purged_at=None).order_by("pk")
        )
        forgotten = [room for room in rooms if room.slug == rows[room.pk]["slug"] and room.over_at is not None]
        keys = [room.pk for room in forgotten]
        restored = [from_line(rows[pk], now) for pk in keys]
        PurgeReceipt.objects.bulk_create(restored, ignore_conflicts=True)
        Room.objects.filter(pk__in=keys).update(purged_at=now)
        Recording.objects.filter(room_id__in=keys).update(state=Recording.State.PURGED)
        acts = [Act("purge_reapplied", f"room:{item.room}", None, {"receipt": item.digest}) for item in restored]
        if acts:
            record_all(acts, now)
    return keys


@after_restore.register("retention.receipts")
def after_a_restore(now: datetime) -> str:
    """Mark rooms as purged that a backup brought back; the next sweep deletes their copies. Nobody can read them from
    then on."""
    again = mark_new(now)
    return f"{len(again)} rooms were purged since it was made: purged again" if again else ""


def from_line(row: dict[str, Any], now: datetime) -> PurgeReceipt:
    """Build an unfinished receipt from a line; `kept_at` is set, for the line is outside already."""
    moments = {name: datetime.fromisoformat(row[name]) for name in MOMENTS}
    receipt = PurgeReceipt(
        room=row["room"], slug=row["slug"], rule=row["rule"], kept_at=now, files=row["files"], **moments
    )
    return with_totals(receipt)


def with_totals(receipt: PurgeReceipt) -> PurgeReceipt:
    """Set a receipt's number of files, total bytes and digest from its list of files; returns the same receipt."""
    there = [file for file in receipt.files if not file.get("missing")]
    receipt.file_count = len(there)
    receipt.total_bytes = sum(file["size"] for file in there)
    receipt.digest = digest(receipt)
    return receipt
