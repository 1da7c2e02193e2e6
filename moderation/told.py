"""Log outside of the database of what people were told about decisions: signed JSON lines, one file per month.

A restored backup has notifications that were sent after it was made, and does not know it. `mark_told_again` finds
them by these lines, before anything is served, and marks them as told when they were; nobody is told twice.

A line is written in the transaction that tells (`note_told`) and names it, so that a line whose transaction was rolled
back (a process was killed between the two) is known to have told nobody: PostgreSQL remembers for each transaction
whether it was committed. Where it does not know it any more, a line counts as told.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import connection, transaction
from django.db.models import QuerySet

from core import append_file
from core.after_restore import after_restore
from ledger import chain
from ledger.actions import Act, record_all
from moderation.models import Notification, Report, Statement
from moderation.statements import appeal_until

log = logging.getLogger(__name__)

# What PostgreSQL says of a transaction that has told nobody; one in progress has the row locked, and decides itself.
TOLD_NOBODY = ("aborted", "in progress")

Line = dict[str, Any]


def content(row: Notification) -> Line:
    """Return what identifies by value what is told to whom: keys alone may be those of lost rows. It names nobody.

    A row that is made anew after a restore tells the same where it follows from the same decision or outcome. Where
    somebody had to act again, it tells something else: a statement that is made anew, an appeal that is filed again.
    """
    decision, review = row.decision, row.review
    made_at = row.made_at if row.kind == Notification.Kind.APPEAL_RECEIVED else None
    if row.kind == Notification.Kind.STATEMENT:
        made_at = getattr(getattr(decision, "statement", None), "made_at", None)
    return {
        "kind": str(row.kind),
        "made": _moment(made_at),
        "decision": [decision.pk, _moment(decision.at), decision.outcome],
        "review": None if review is None else [review.pk, _moment(review.opened_at), _moment(review.decided_at)],
        "report": None if row.report is None else [row.report.pk, _moment(row.report.at)],
        "person": None if row.person is None else [row.person.pk, _moment(row.person.date_joined)],
    }


def _moment(at: datetime | None) -> str | None:
    return None if at is None else chain.stamp(at)


def note_told(row: Notification, now: datetime) -> None:
    """Write that somebody is told, in the transaction that tells; the line is on disk when this returns.

    Killed before the commit, it has told nobody, and the notification is sent again.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT system_identifier::text, pg_current_xact_id()::text FROM pg_control_system()")
        server, number = cursor.fetchone()
    line = {**content(row), "told": chain.stamp(now), "server": server, "transaction": number}
    line["signed"] = chain.sign(settings.LEDGER_KEY, "told", line)
    append_file.append_rows(file_of(now), [line])


def mark_told(row: Notification, at: datetime) -> None:
    """Set the moment at which somebody was told, and what counts from it: the statement's, and a reporter's last day
    for an appeal."""
    row.told_at = at
    row.save(update_fields=["told_at"])
    if row.kind == Notification.Kind.STATEMENT:
        Statement.objects.filter(decision=row.decision_id, told_at=None).update(told_at=at)
    elif row.kind == Notification.Kind.REPORT_OUTCOME and row.report_id is not None:
        Report.objects.filter(pk=row.report_id, appeal_until=None).update(appeal_until=appeal_until(at))


def mark_told_again(now: datetime) -> int:
    """Mark notifications as told that a line outside says were, without sending anything. Returns how many."""
    rows = {chain.canonical_json(content(row)): row for row in with_content(waiting()).iterator(2_000)}
    if not rows:
        return 0
    lines: dict[int, list[Line]] = {}
    for line in lines_since(min(row.decision.at for row in rows.values())):
        if (row := rows.get(key_of(line))) is not None:
            lines.setdefault(row.pk, []).append(line)
    return sum(_mark_again(pk, found, now) for pk, found in lines.items())


def mark_if_told(row: Notification, now: datetime) -> bool:
    """Mark a notification where its like was told before a restore, for the sender, which has it locked: one that is
    made again by what the site does by itself. Returns whether it was."""
    wanted = chain.canonical_json(content(row))
    return _mark_again(row.pk, [line for line in lines_since(row.decision.at) if key_of(line) == wanted], now)


@transaction.atomic
def _mark_again(pk: int, lines: list[Line], now: datetime) -> bool:
    """Mark one notification where one of its lines told somebody. One that is locked is being sent now."""
    row = with_content(waiting()).select_for_update(of=("self",), skip_locked=True).filter(pk=pk).first()
    told = [line["told"] for line in lines if has_told(line)]
    if row is None or not told:
        return False
    mark_told(row, datetime.fromisoformat(min(told)))
    data = {"notification": row.pk, "decision": row.decision_id, "kind": str(row.kind), "by": [], "before": min(told)}
    record_all([Act("notified", row.decision.ledger_subject, None, data)], now)
    return True


def waiting() -> QuerySet[Notification]:
    """Select what nobody was told of yet, as far as this database knows."""
    return Notification.objects.filter(told_at=None).order_by("pk")


def with_content(rows: QuerySet[Notification]) -> QuerySet[Notification]:
    """Load what `content` reads."""
    return rows.select_related("decision__statement", "review", "report", "person")


def has_told(line: Line) -> bool:
    """Whether somebody was told by the transaction of a line: not where this server rolled it back, or is at it.

    One that this server has not reached is of a later time, which a copy of its files has forgotten.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT CASE WHEN system_identifier::text = %(server)s"
            " AND %(number)s::xid8 < pg_snapshot_xmax(pg_current_snapshot())"
            " THEN pg_xact_status(%(number)s::xid8) END FROM pg_control_system()",
            {"server": line["server"], "number": line["transaction"]},
        )
        return cursor.fetchone()[0] not in TOLD_NOBODY


def file_of(moment: datetime) -> Path:
    """Return the file for what is told in this month (UTC)."""
    return Path(settings.TOLD_DIR) / f"{chain.stamp(moment)[:7]}.jsonl"


def lines_since(moment: datetime) -> Iterator[Line]:
    """Yield the lines of this month and later ones. Those without a valid signature are logged and left out."""
    first, folder = file_of(moment).name, Path(settings.TOLD_DIR)
    for file in sorted(folder.glob("*.jsonl")) if folder.is_dir() else ():
        if file.name < first:
            continue
        for number, line in append_file.read_rows(file):
            signed = line.pop("signed", None) if line is not None else None
            if line is None or signed != chain.sign(settings.LEDGER_KEY, "told", line):
                log.error("%s, line %d is none of ours: left out", file.name, number)
            else:
                yield line


def key_of(line: Line) -> bytes:
    """Return a line's content in the form in which `content` of a row is compared with it."""
    outer = ("told", "server", "transaction")
    return chain.canonical_json({name: value for name, value in line.items() if name not in outer})


@after_restore.register("moderation.told")
def after_a_restore(now: datetime) -> str:
    """Mark what people were told since the backup was made."""
    marked = mark_told_again(now)
    return f"{marked} notifications about decisions were sent since it was made: not sent again" if marked else ""
