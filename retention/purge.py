"""The purge: when a copy's time has come, everything of it goes and a receipt stays.

1. look      files and their checksums, before anything is locked (a large room takes seconds)
2. begin     one transaction with the room's row locked: is it due, still? Receipt, `purged_at`: nobody can read it now
3. keep      the receipt, outside of the database too
4. finish    one transaction with the receipt locked: folders, rows, keys in Redis; entry in the ledger

A process may be killed anywhere and two may work at once: what was begun is found by its unfinished receipt and
finished by whoever comes next, and finishing twice does nothing twice.
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
from retention.clocks import Waiting, clocks, past_first_day, rules, to_purge, tolerance
from retention.models import PurgeReceipt
from retention.policy import Clock, Reason
from rooms.models import Recording, Room
from rooms.recording import marker

log = logging.getLogger(__name__)

BATCH = 100  # rooms a transaction


def due(now: datetime, failed: dict[int, str] | None = None) -> Iterable[Waiting]:
    """Rooms whose copy is to be purged, the longest ended first. `failed` takes those whose clock is not known."""
    return (waiting for waiting in past_first_day(now, {} if failed is None else failed) if waiting.clock.due)


def held(now: datetime) -> Iterable[Waiting]:
    """Rooms whose first day is over and whose copy is kept all the same."""
    return (waiting for waiting in past_first_day(now, {}) if not waiting.clock.due)


@dataclass(frozen=True)
class Overdue:
    """A copy that is there longer than it may be; `begun` when its purge began but did not end."""

    room_pk: int
    due_at: datetime
    begun: bool


def overdue(now: datetime) -> list[Overdue]:
    """List the rooms that should have been gone by now, the named tolerance included. It should be nothing.

    A room whose clock is not known is among them, from its first day on: nobody can say that it may stay.
    """
    unknown: dict[int, str] = {}
    late = [
        Overdue(waiting.room_pk, waiting.clock.purge_at, begun=False)
        for waiting in past_first_day(now, unknown)
        if waiting.clock.overdue(tolerance()) and waiting.clock.purge_at is not None
    ]
    first_day = timedelta(days=rules().review_days)
    ends = to_purge().filter(pk__in=unknown, ended_at__lt=now - first_day - tolerance()).values_list("pk", "ended_at")
    late += [Overdue(pk, ended_at + first_day, begun=False) for pk, ended_at in ends if ended_at is not None]
    unfinished = PurgeReceipt.objects.filter(finished_at=None, due_at__lt=now - tolerance())
    stuck = [Overdue(pk, due_at, begun=True) for pk, due_at in unfinished.values_list("room", "due_at")]
    return sorted(late + stuck, key=lambda item: (item.due_at, item.room_pk))


@dataclass
class Swept:
    """What a sweep did: rooms purged to the end, and rooms where it failed, with why."""

    purged: list[int] = field(default_factory=list)
    failed: dict[int, str] = field(default_factory=dict)


def sweep(now: datetime | None = None, batch: int = BATCH) -> Swept:
    """Finish what was begun, then purge what is due. A room that cannot be purged does not keep the others."""
    moment = now or timezone.now()
    swept = Swept()
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


def in_batches(rooms: Iterable[int], act: Callable[[list[int]], list[int]], swept: Swept, batch: int = BATCH) -> None:
    """Do something to rooms, many at once; where that fails one by one, so that one keeps no other."""
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
    """Purge these rooms where it is their time, and finish those that were begun. Which were finished by this call."""
    now = now or timezone.now()
    marker.check()
    begin(rooms, now)
    receipts.keep_outside(rooms, now)
    return finish(rooms, now)


def begin(rooms: Sequence[int], now: datetime) -> list[int]:
    """From here on the copy is gone for everybody. Never early: the clock is asked again with the room's row locked."""
    there = set(Room.objects.filter(pk__in=rooms, purged_at=None).values_list("pk", flat=True))
    found = {pk: inventory.look(pk) for pk in rooms if pk in there}
    with transaction.atomic():
        # A row that somebody else holds is theirs (another purge) or not due any more (a hold): the next sweep sees.
        locked = list(
            Room.objects.select_for_update(of=("self",), skip_locked=True, no_key=True)
            .filter(pk__in=there, status=Room.Status.ENDED, purged_at=None)
            .order_by("pk")
        )
        clock = clocks({room.pk: room.ended_at for room in locked if room.ended_at is not None}, now)
        mine = [room for room in locked if clock[room.pk].due]
        keys = [room.pk for room in mine]
        files = inventory.listed(keys, {pk: inventory.look(pk, found[pk]) for pk in keys})
        PurgeReceipt.objects.bulk_create(receipt(room, clock[room.pk], files[room.pk], now) for room in mine)
        Room.objects.filter(pk__in=keys).update(purged_at=now)
        Recording.objects.filter(room_id__in=keys).update(state=Recording.State.PURGED)
    return keys


def receipt(room: Room, clock: Clock, files: list[dict[str, Any]], now: datetime) -> PurgeReceipt:
    """The receipt of a purge that begins now."""
    if room.ended_at is None or clock.purge_at is None:
        raise ValueError(f"room {room.pk} is not due")
    return receipts.totalled(
        PurgeReceipt(
            room=room.pk,
            slug=room.slug,
            rule=rule_of(clock),
            ended_at=room.ended_at,
            due_at=clock.purge_at,
            begun_at=now,
            files=files,
        )
    )


def rule_of(clock: Clock) -> str:
    """The rule that a purge went by, as its receipt names it."""
    days = {Reason.REVIEW: rules().review_days, Reason.VIOLATION: rules().violation_days}
    return f"{clock.reason}-{days[clock.reason]}-days" if clock.reason in days else str(clock.reason)


def finish(rooms: Sequence[int], now: datetime) -> list[int]:
    """Erase what was begun and stands outside. A receipt that another process holds is left to it."""
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
    """The ledger's entry: it binds the receipt to the chain."""
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
    """After a backup was put back: purge again what receipts outside of the database say was purged. Which rooms.

    Nobody can read them from then on; those whose files could not be removed are tried again by the next sweep.
    """
    moment = now or timezone.now()
    keys = receipts.reapply(moment)
    in_batches(keys, lambda rooms: finish(rooms, moment), Swept())
    return keys


def tidy(now: datetime | None = None, since: timedelta | None = None) -> list[int]:
    """Erase what came back to purged rooms: a late writer, a folder out of a backup. Which rooms had something.

    `since` looks at rows of rooms purged in that time only; folders are always looked at, all of them.
    """
    now = now or timezone.now()
    purged_rooms = PurgeReceipt.objects.filter(finished_at__isnull=False).order_by("pk")
    folders = inventory.folders()
    recent = purged_rooms if since is None else purged_rooms.filter(finished_at__gte=now - since)
    back = set(purged_rooms.filter(room__in=folders).values_list("room", flat=True))
    keys = iter(recent.values_list("room", flat=True).iterator(BATCH * 10))
    while chunk := list(islice(keys, BATCH * 10)):
        back |= set(artefacts.leftovers(chunk))
    swept = Swept()
    in_batches(sorted(back), lambda rooms: [pk for pk in rooms if tidy_room(pk, now)], swept, 1)
    return swept.purged


@transaction.atomic
def tidy_room(pk: int, now: datetime) -> bool:
    """Erase what came back to one purged room; False where another process is at it."""
    if not PurgeReceipt.objects.select_for_update(skip_locked=True).filter(room=pk).exists():
        return False
    files = inventory.listed([pk], {pk: inventory.look(pk)})[pk]
    inventory.remove([pk])
    rows = artefacts.erase_rows([pk])[pk]
    sums = [file["sha256"] for file in files]
    record_all([Act("purged_again", f"room:{pk}", None, {"files": sums, "rows": rows})], now)
    log.error("room %d was purged and had %d files and %s again: erased", pk, len(files), rows or "no rows")
    return True
