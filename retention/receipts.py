"""Receipts outside of the database: signed lines, a file a month, never edited.

When a backup of the database is put back, rooms stand in it that were purged since. `reapply` purges them again, before
anything is served.
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
from ledger import chain
from ledger.actions import Act, record_all
from retention.models import PurgeReceipt
from rooms.models import Recording, Room

log = logging.getLogger(__name__)

MOMENTS = ("ended_at", "due_at", "begun_at")
CHUNK = 1_000


def content(receipt: PurgeReceipt) -> dict[str, Any]:
    """What a receipt says and never unsays."""
    return {
        "room": receipt.room,
        "slug": receipt.slug,
        "rule": receipt.rule,
        **{name: chain.stamp(getattr(receipt, name)) for name in MOMENTS},
        "files": receipt.files,
    }


def digest(receipt: PurgeReceipt) -> str:
    """SHA-256 of that; the ledger keeps it."""
    return hashlib.sha256(chain.canonical_json(content(receipt))).hexdigest()


def file_of(moment: datetime) -> Path:
    """Where the receipts of this month are."""
    return Path(settings.RECEIPTS_DIR) / f"{chain.stamp(moment)[:7]}.jsonl"


@transaction.atomic
def keep_outside(rooms: Sequence[int], now: datetime) -> None:
    """Write the receipts that are not outside yet. Another process that is at it has them locked: it writes theirs.

    Killed between the line and the commit, a line may stand there twice: that is no harm.
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


def read() -> Iterator[dict[str, Any]]:
    """All receipts that stand outside, oldest month first. Lines that are not ours are logged and left out."""
    folder = Path(settings.RECEIPTS_DIR)
    for file in sorted(folder.glob("*.jsonl")) if folder.is_dir() else ():
        for number, row in append_file.read_rows(file):
            signed = row.pop("signed", None) if row is not None else None
            if row is None or signed != chain.sign(settings.LEDGER_KEY, "receipt", row):
                log.error("%s, line %d is no receipt of ours: left out", file.name, number)
            else:
                yield row


def reapply(now: datetime | None = None) -> list[int]:
    """Mark rooms as purged that a receipt outside says were, and the database has forgotten. Their keys.

    The purge then finishes them as it does whatever was begun. A room is known by key and address: after a backup was
    put back, another room may have the key of one that is lost.
    """
    now = now or timezone.now()
    again: list[int] = []
    chunk: dict[int, dict[str, Any]] = {}
    for row in read():
        chunk[row["room"]] = row
        if len(chunk) == CHUNK:
            again += mark(chunk, now)
            chunk = {}
    return again + mark(chunk, now)


def mark(rows: dict[int, dict[str, Any]], now: datetime) -> list[int]:
    """One transaction: receipts and marks of those among `rows` that are not purged here."""
    with transaction.atomic():
        rooms = (
            Room.objects.select_for_update(of=("self",), no_key=True).filter(pk__in=rows, purged_at=None).order_by("pk")
        )
        forgotten = [room for room in rooms if room.slug == rows[room.pk]["slug"] and room.ended_at is not None]
        keys = [room.pk for room in forgotten]
        restored = [from_line(rows[pk], now) for pk in keys]
        PurgeReceipt.objects.bulk_create(restored, ignore_conflicts=True)
        Room.objects.filter(pk__in=keys).update(purged_at=now)
        Recording.objects.filter(room_id__in=keys).update(state=Recording.State.PURGED)
        acts = [Act("purge_reapplied", f"room:{item.room}", None, {"receipt": item.digest}) for item in restored]
        if acts:
            record_all(acts, now)
    return keys


def from_line(row: dict[str, Any], now: datetime) -> PurgeReceipt:
    """The receipt that a line tells of, to be finished again; it stands outside already."""
    moments = {name: datetime.fromisoformat(row[name]) for name in MOMENTS}
    receipt = PurgeReceipt(
        room=row["room"], slug=row["slug"], rule=row["rule"], kept_at=now, files=row["files"], **moments
    )
    return totalled(receipt)


def totalled(receipt: PurgeReceipt) -> PurgeReceipt:
    """The receipt with what follows from its files."""
    there = [file for file in receipt.files if not file.get("missing")]
    receipt.file_count = len(there)
    receipt.total_bytes = sum(file["size"] for file in there)
    receipt.digest = digest(receipt)
    return receipt
