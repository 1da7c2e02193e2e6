"""Tell people what was decided: by an official message and by mail, once, in a transaction of its own.

What is told is a row (`Notification`) of the transaction that it is about, so nobody is told before a decision is in
force, nor of what was rolled back. A process that is killed before the commit has told nobody, and the sweep tells.
"""

from __future__ import annotations

import logging
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.urls import reverse
from django.utils import timezone
from django.utils.crypto import salted_hmac
from redis.exceptions import RedisError

from core.batches import run_each
from core.throttle import take
from ledger.actions import record
from moderation.actions.appeal_links import make_link
from moderation.actions.mails import address_of, mail_to
from moderation.models import Notification, Report, Statement
from moderation.notified import DECISION_NOTIFICATION, outcome_of
from moderation.queries.appeals import AppealRight, concerned_right, reporter_right
from moderation.statements import cut_short
from moderation.told import mark_if_told, mark_told, note_told
from social.actions.messages import send_official

log = logging.getLogger(__name__)

LATE = timedelta(seconds=20)  # then the task of a notification is taken for lost
MOST = 200  # told by one sweep
# (mails a minute, at once) about reports to one mailbox without an account: whoever types the address of another in
# many reports must not fill their mailbox. What waits is told later.
TO_ONE = (1 / 20, 4)
WITH_LINK = (Notification.Kind.STATEMENT, Notification.Kind.REPORT_OUTCOME)


def send_notification(pk: int) -> bool:
    """Tell somebody what a notification says; whether they were told now. One that was told, or that another process
    has locked, is left alone; so is one whose mailbox had too many, until the next sweep."""
    with transaction.atomic():
        rows = Notification.objects.select_for_update(of=("self",), no_key=True, skip_locked=True)
        with_all = rows.select_related(
            "decision__case__room", "decision__rule", "review", "report__case__room", "report__reporter", "person"
        )
        row = with_all.filter(pk=pk, told_at=None).first()
        if row is None or not _may_mail(row):
            return False
        now = timezone.now()
        if mark_if_told(row, now):  # before a backup was put back
            return False
        mark_told(row, now)
        by = ["message"] if row.person is not None else []
        if row.person is not None:
            # With the outcome: what somebody was told does not change when a later review changes it.
            told = {"notification": row.pk, "outcome": outcome_of(row)}
            send_official([row.person], DECISION_NOTIFICATION, told)
        if mail_to(row.person, row.report, str(row.kind), _values(row, now)):
            by.append("mail")
        data = {"notification": row.pk, "decision": row.decision_id, "kind": str(row.kind), "by": by}
        note_told(row, now)
        record("notified", row.decision.ledger_subject, None, data)
    return True


def send_late(now: datetime) -> int:
    """Tell what was not told for a while: its task was lost, or too much went to its mailbox. Returns how many there
    were."""
    late = Notification.objects.filter(told_at=None, made_at__lt=now - LATE)
    keys = list(late.filter(person__isnull=False).order_by("made_at", "pk").values_list("pk", flat=True)[:MOST])
    # In any order: what waits for one mailbox without an account holds up no other.
    keys += late.filter(person=None).order_by("?").values_list("pk", flat=True)[:MOST]
    run_each(keys, send_notification, "telling people of a decision")
    return len(keys)


def _values(row: Notification, now: datetime) -> dict[str, Any]:
    """Return what the templates of a mail need."""
    right = _right(row, now)
    return {
        "path": _path(row, right),
        "may_appeal": right is not None and right.may_appeal,
        "appeal_until": None if right is None else right.until,
        "due_at": None if right is None else right.due_at,
        "parts": _body(row).get("parts", []) if row.kind == Notification.Kind.STATEMENT else [],
        "cut_short": _was_cut_short(row),
        "outcome": outcome_of(row),
        "reasons": "" if row.review is None else row.review.reasons,
        "is_reporter": row.report is not None,
        "sent_at": None if row.report is None else row.report.at,
    }


def _path(row: Notification, right: AppealRight | None) -> str:
    """Where a mail leads: to a page that needs no sign-in where there is something to appeal. Only these mails have a
    link, since each ends the one before, with which somebody may just be reading. A deleted account, which cannot sign
    in, always gets one, but for the receipt of its appeal, which it has just filed by one ("")."""
    deleted = row.person is not None and row.person.deleted_at is not None
    if deleted and row.kind == Notification.Kind.APPEAL_RECEIVED:
        return ""
    if right is not None and right.until is not None and (deleted or (right.may_appeal and row.kind in WITH_LINK)):
        return f"/appeal/{make_link(right, right.until)}/"
    if row.report is not None:
        return reverse("pages:receipt", args=[row.report.receipt])
    return reverse("pages:decision", args=[row.decision_id])


def _right(row: Notification, now: datetime) -> AppealRight | None:
    """Load what the side of a notification may do once it is told."""
    if row.report is not None:
        return reporter_right(Report.objects.select_related("case__room", "reporter").get(pk=row.report.pk), now)
    rows = Statement.objects.select_related("decision__case__room", "decision__rule", "person")
    statement = rows.filter(decision=row.decision_id).first()
    return None if statement is None else concerned_right(statement, now)


def _body(row: Notification) -> dict[str, Any]:
    found = Statement.objects.filter(decision=row.decision_id).values_list("body", flat=True).first()
    return found or {}


def _was_cut_short(row: Notification) -> bool:
    """Whether what was undone may have cost a live room something, of which its person is told."""
    is_undone = row.kind == Notification.Kind.APPEAL_OUTCOME and outcome_of(row) in ("granted", "replaced")
    return is_undone and row.report is None and cut_short(_body(row))


def _may_mail(row: Notification) -> bool:
    """Whether word may go to a mailbox without an account now; without Redis later."""
    if row.person is not None or row.report is None or not address_of(None, row.report):
        return True
    to = salted_hmac("moderation.outcome_mail", row.report.reporter_email.lower()).hexdigest()
    try:
        return not take(f"outcome_mail_to:{to}", per_minute=TO_ONE[0], burst=TO_ONE[1])
    except RedisError as error:
        log.warning("%s waits, Redis is away: %s", row, error)
        return False
