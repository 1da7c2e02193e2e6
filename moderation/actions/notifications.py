"""Notifications: what people are to be told of a decision, as rows of the transaction that it is about.

They are sent by a transaction of their own (`moderation.tasks.send_notification`), after the commit and by the sweep,
so that no act waits for a mail and nobody is told of what was rolled back.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from celery import current_app

from core.after_commit import after_commit
from moderation.models import Decision, Notification, Report, Review
from people.models import User

SEND = "moderation.tasks.send_notification"  # by name: tasks import actions


def notify(
    kind: str,
    decision: Decision,
    *,
    review: Review | None = None,
    report: Report | None = None,
    person: User | None = None,
) -> None:
    """Have somebody told of a decision: the person, or whoever sent a report. The same twice is told once. The caller
    has the case locked, and writes its entries after this."""
    notify_all([Notification(kind=kind, decision=decision, review=review, report=report, person=person)])


def notify_all(rows: Iterable[Notification]) -> None:
    """Have several people told, as `notify` does."""
    wanted = {_key(row): row for row in rows}
    decisions = {row.decision_id for row in wanted.values()}
    known = Notification.objects.filter(decision__in=decisions).values_list(
        "kind", "decision", "review", "report", "person"
    )
    for key in known if wanted else ():
        wanted.pop(key, None)
    made = Notification.objects.bulk_create(wanted.values())
    if made:
        after_commit(_queue, [row.pk for row in made])


def _key(row: Notification) -> tuple[str, int, int | None, int | None, int | None]:
    return str(row.kind), row.decision_id, row.review_id, row.report_id, row.person_id


def _queue(keys: Sequence[int]) -> None:
    for key in keys:
        current_app.send_task(SEND, args=[key])
