"""The purge of rooms' copies that are due: everything is deleted and a receipt is left. Rooms that were cancelled, and
so never ran, have no copy: their rows (invitations, links) go the same way.

1. scan      files and their checksums, before anything is locked (a large room takes seconds)
2. begin     one transaction with the room's row locked: check again that it is due; write the receipt and `purged_at`,
             after which nobody can read the copy
3. keep      append the receipt to a file outside of the database
4. finish    one transaction with the receipt locked: delete folders, rows and Redis keys; write the ledger entry

A process may be killed at any step and two may run at once: a purge that was begun has an unfinished receipt, by which
the next sweep finds and finishes it. Every step is safe to repeat.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import islice
from typing import Any

from django.db import transaction
from django.utils import timezone

from ledger.actions import Act, record_all
from retention import artefacts, inventory, receipts
from retention.clocks import RoomPastReview, clocks, past_review_period, rules, to_purge, tolerance
from retention.models import PurgeReceipt
from retention.policy import Clock, Reason
from rooms.models import Recording, Room
from rooms.models.room import OVER
from rooms.recording import marker

log = logging.getLogger(__name__)

BATCH = 100  # rooms a transaction


def due(now: datetime, failed: dict[int, str] | None = None) -> Iterable[RoomPastReview]:
    """Yield rooms whose copy is due, oldest end first. Rooms whose clock cannot be computed are put into `failed`."""
    return (waiting for waiting in past_review_period(now, {} if failed is None else failed) if waiting.clock.due)


def held(now: datetime) -> Iterable[RoomPastReview]:
    """Yield rooms whose review period is over and whose copy is not due yet."""
    return (waiting for waiting in past_review_period(now, {}) if not waiting.clock.due)


@dataclass(frozen=True)
class Overdue:
    """A copy that is kept longer than allowed; `begun`: its purge began and did not finish."""

    room_pk: int
    due_at: datetime
    begun: bool


def overdue(now: datetime) -> list[Overdue]:
    """List the copies that should have been purged by now, tolerance included; longest overdue first.

    A room whose clock cannot be computed counts once its review period and the tolerance are over.
    """
    unknown: dict[int, str] = {}
    late = [
        Overdue(waiting.room_pk, waiting.clock.purge_at, begun=False)
        for waiting in past_review_period(now, unknown)
        if waiting.clock.overdue(tolerance())
    ]
    first_day = timedelta(days=rules().review_days)
    ends = to_purge().filter(pk__in=unknown, over_at__lt=now - first_day - tolerance()).values_list("pk", "over_at")
    late += [Overdue(pk, over_at + first_day, begun=False) for pk, over_at in ends]
    # Cancelling them is the sweep of rooms' work; where that stands still they would never be due.
    waiting = Room.objects.filter(status=Room.Status.SCHEDULED, starts_at__lt=now - first_day - tolerance())
    late += [Overdue(pk, at + first_day, begun=False) for pk, at in waiting.values_list("pk", "starts_at") if at]
    unfinished = PurgeReceipt.objects.filter(finished_at=None, due_at__lt=now - tolerance())
    stuck = [Overdue(pk, due_at, begun=True) for pk, due_at in unfinished.values_list("room", "due_at")]
    return sorted(late + stuck, key=lambda item: (item.due_at, item.room_pk))


@dataclass
class SweepResult:
    """Result of a sweep: keys of rooms whose purge was finished, and the error of each room whose purge failed."""

    purged: list[int] = field(default_factory=list)
    failed: dict[int, str] = field(default_factory=dict)


def sweep(now: datetime | None = None, batch: int = BATCH) -> SweepResult:
    """Finish purges that were begun, then purge what is due. A room that fails does not stop the others."""
    moment = now or timezone.now()
    swept = SweepResult()
    begun = PurgeReceipt.objects.filter(finished_at=None).order_by("pk").values_list("room", flat=True)
    todo = [*begun, *(item.room_pk for item in due(moment, swept.failed))]
    try:
        if todo:
            marker.check()
    except marker.OtherFolder as error:
        marker.report(error)
        swept.failed |= dict.fromkeys(todo, str(error))
        return swept
    in_batches(todo, lambda rooms: purge(rooms, moment), swept, batch)
    return swept


def in_batches(
    rooms: Iterable[int], act: Callable[[list[int]], list[int]], swept: SweepResult, batch: int = BATCH
) -> None:
    """Call `act` with batches of rooms and collect its results; rooms of a batch that fails are tried one by one."""
    waiting = iter(rooms)
    while keys := list(islice(waiting, batch)):
        try:
            swept.purged += act(keys)
        except Exception:
            log.exception("a batch of %d rooms failed: trying them one by one", len(keys))
            for pk in keys:
                try:
                    swept.purged += act([pk])
                except Exception as error:
                    log.exception("room %d could not be purged", pk)
                    swept.failed[pk] = f"{type(error).__name__}: {error}"


def purge(rooms: Sequence[int], now: datetime | None = None) -> list[int]:
    """Purge these rooms where due, and finish purges that were begun. Return the rooms finished by this call."""
    now = now or timezone.now()
    marker.check()
    begin(rooms, now)
    receipts.keep_outside(rooms, now)
    return finish(rooms, now)


def begin(rooms: Sequence[int], now: datetime) -> list[int]:
    """Mark due rooms as purged and write their receipts: the point of no return. Return the rooms marked.

    Never early: the clock is computed again with the room's row locked.
    """
    there = set(Room.objects.filter(pk__in=rooms, purged_at=None).values_list("pk", flat=True))
    found = {pk: inventory.scan(pk) for pk in rooms if pk in there}
    with transaction.atomic():
        # Locked rows are skipped: another purge has them, or a hold is being added. The next sweep checks them again.
        locked = list(
            Room.objects.select_for_update(of=("self",), skip_locked=True, no_key=True)
            .filter(pk__in=there, status__in=OVER, purged_at=None)
            .order_by("pk")
        )
        clock = clocks({room.pk: room.over_at for room in locked}, now)
        mine = [room for room in locked if clock[room.pk].due]
        keys = [room.pk for room in mine]
        files = inventory.receipt_files(keys, {pk: inventory.scan(pk, found[pk]) for pk in keys})
        PurgeReceipt.objects.bulk_create(receipt(room, clock[room.pk], files[room.pk], now) for room in mine)
        Room.objects.filter(pk__in=keys).update(purged_at=now)
        Recording.objects.filter(room_id__in=keys).update(state=Recording.State.PURGED)
    return keys


def receipt(room: Room, clock: Clock, files: list[dict[str, Any]], now: datetime) -> PurgeReceipt:
    """Build the receipt of a purge that begins now. Raises ValueError for a room that is not due."""
    if room.over_at is None or not clock.due:
        raise ValueError(f"room {room.pk} is not due")
    return receipts.with_totals(
        PurgeReceipt(
            room=room.pk,
            slug=room.slug,
            rule=rule_of(clock, never_ran=room.started_at is None),
            ended_at=room.over_at,
            due_at=clock.purge_at,
            begun_at=now,
            files=files,
        )
    )


def rule_of(clock: Clock, *, never_ran: bool = False) -> str:
    """Return the rule behind a purge as its receipt names it: `review-30-days`, `violation-90-days`,
    `never-ran-30-days`, or the reason."""
    if never_ran and clock.reason is Reason.REVIEW:
        return f"never-ran-{rules().review_days}-days"
    days = {Reason.REVIEW: rules().review_days, Reason.VIOLATION: rules().violation_days}
    return f"{clock.reason}-{days[clock.reason]}-days" if clock.reason in days else str(clock.reason)


def finish(rooms: Sequence[int], now: datetime) -> list[int]:
    """Delete the copies whose receipts are begun and written outside; return the rooms.

    Receipts locked by another process are skipped.
    """
    with transaction.atomic():
        mine = list(
            PurgeReceipt.objects.select_for_update(skip_locked=True)
            .filter(room__in=rooms, finished_at=None, kept_at__isnull=False)
            .order_by("pk")
        )
        keys = [receipt.room for receipt in mine]
        if not keys:
            return []
        inventory.remove(keys)
        gone = artefacts.erase_rows(keys)
        for receipt in mine:
            receipt.rows = gone[receipt.room]
            receipt.finished_at = now
        PurgeReceipt.objects.bulk_update(mine, ["rows", "finished_at"])
        record_all([purged(receipt) for receipt in mine], now)
    return keys


def purged(receipt: PurgeReceipt) -> Act:
    """Build the ledger entry that ties the receipt's checksum to the chain."""
    return Act(
        "purged",
        f"room:{receipt.room}",
        None,
        {
            "receipt": receipt.digest,
            "rule": receipt.rule,
            "files": receipt.file_count,
            "bytes": receipt.total_bytes,
            "rows": sum(receipt.rows.values()),
        },
    )


def reapply(now: datetime | None = None) -> list[int]:
    """Purge rooms again that a restored backup brought back, by the receipts outside of the database. Return the rooms.

    Nobody can read them from then on; the next sweep tries those again whose files could not be removed.
    """
    moment = now or timezone.now()
    keys = receipts.mark_purged_again(moment)
    in_batches(keys, lambda rooms: finish(rooms, moment), SweepResult())
    return keys


def tidy(now: datetime | None = None, since: timedelta | None = None) -> list[int]:
    """Delete data that reappeared in purged rooms (a late writer, a folder from a backup). Return the rooms concerned.

    `since` limits the search for rows to rooms purged in that time; all folders are always checked.
    """
    now = now or timezone.now()
    purged_rooms = PurgeReceipt.objects.filter(finished_at__isnull=False).order_by("pk")
    folders = inventory.folders()
    recent = purged_rooms if since is None else purged_rooms.filter(finished_at__gte=now - since)
    back = set(purged_rooms.filter(room__in=folders).values_list("room", flat=True))
    keys = iter(recent.values_list("room", flat=True).iterator(BATCH * 10))
    while chunk := list(islice(keys, BATCH * 10)):
        back |= set(artefacts.leftovers(chunk))
    swept = SweepResult()
    in_batches(sorted(back), lambda rooms: [pk for pk in rooms if tidy_room(pk, now)], swept, 1)
    return swept.purged


@transaction.atomic
def tidy_room(pk: int, now: datetime) -> bool:
    """Delete data that reappeared in one purged room; False where another process has its receipt locked."""
    if not PurgeReceipt.objects.select_for_update(skip_locked=True).filter(room=pk).exists():
        return False
    files = inventory.receipt_files([pk], {pk: inventory.scan(pk)})[pk]
    inventory.remove([pk])
    rows = artefacts.erase_rows([pk])[pk]
    sums = [file["sha256"] for file in files]
    record_all([Act("purged_again", f"room:{pk}", None, {"files": sums, "rows": rows})], now)
    log.error("room %d was purged and had %d files and %s again: erased", pk, len(files), rows or "no rows")
    return True
