"""Reports: notices to moderators, of whatever kind, by anybody. Nobody but moderators learns of one, and the reporter
gets a receipt."""

from __future__ import annotations

import hashlib
from typing import Any

from django.conf import settings
from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.crypto import salted_hmac

from core.after_commit import after_commit
from core.once import once_secret
from core.throttle import Limit
from ledger.actions import Act, record_all
from moderation.actions.joining import case_for, for_child_safety, kept_from, refresh_parties, refresh_priority
from moderation.actions.message_copies import copy_message, texts_of
from moderation.actions.notice_values import NewReport, Values, checked_values
from moderation.actions.receipts import send_receipt
from moderation.actions.report_subjects import Reported, reported_in
from moderation.actions.routes import follow_route
from moderation.models import Case, Category, Report, ReportedMessage, SubjectKind
from moderation.refusals import ModerationRefused
from people.standing import standing_of, why_not_enter
from retention.clocks import still_holdable
from rooms.models import Room
from rooms.wire.sides import tell_staff

__all__ = ["NewReport", "file_report"]

REPORTS = Limit("report", per_minute=2, burst=10, refused=ModerationRefused)
BY_MAIL = Limit("report_by_mail", per_minute=0.2, burst=5, refused=ModerationRefused)  # signed out, by address of mail
# Messages to staff about one case, and about all.
STAFF_TOLD = Limit("staff_told", per_minute=12, burst=2, refused=ModerationRefused)
STAFF_TOLD_OF_ALL = Limit("staff_told_all", per_minute=60, burst=20, refused=ModerationRefused)
URGENT = (Category.Route.CHILD_SAFETY, Category.Route.LIFE_IN_DANGER)


def file_report(new: NewReport) -> Report:
    """Store a report and join it to the open case about its subject, or open one.

    The same `once` by the same person is one report: the first is returned. Raises ModerationRefused: bad_value with a
    text for each wrong field, too_fast, the codes of a closed or suspended account, and those of `reported_in`.
    """
    key = _once_of(new)
    if known := _sent_before(new, key):
        return known
    _check_pace(new)
    if code := why_not_enter(standing_of(new.reporter)):
        raise ModerationRefused(code)
    values = checked_values(new)
    reported = reported_in(new)
    try:
        with transaction.atomic():
            return _file(new, values, reported, key)
    except IntegrityError as error:
        # The same form twice at once: the other was first.
        if "report_once" in str(error) and (known := _sent_before(new, key)):
            return known
        raise


def _file(new: NewReport, values: Values, reported: Reported, key: str) -> Report:
    now = timezone.now()
    case = case_for(new.kind, reported.room, reported.subject, reported.message, now=now)
    opened = case.opened_at == now
    if opened and reported.room is not None and new.kind != SubjectKind.TITLE:
        _hold_copy(reported.room)
    row = Report.objects.create(
        case=case,
        kind=new.kind,
        reporter=new.reporter,
        once=key,
        at=now,
        **values.columns(),
        **reported.columns(),
    )
    copies = copy_message(row) if new.kind == SubjectKind.MESSAGE else []
    if values.route == Category.Route.CHILD_SAFETY:
        for_child_safety(case)
    refresh_parties(case)
    refresh_priority(case)
    _tell(case, values.route in URGENT)
    send_receipt(row, new.address)
    acts = _acts(row, case, copies, opened=opened)
    follow_route(case, row.category)
    record_all(acts)
    return row


def _hold_copy(room: Room) -> None:
    """Make sure that the purge of the room's copy sees the new case. Raises copy_gone where it is too late."""
    locked = Room.objects.select_for_update(no_key=True).get(pk=room.pk)
    if not still_holdable(locked):
        raise ModerationRefused("copy_gone")


# --- limits -----------------------------------------------------------------------------------------------------------


def _once_of(new: NewReport) -> str:
    """The stored mark of a form, which is another for each account and each message."""
    mark = f"message:{new.once}" if new.kind == SubjectKind.MESSAGE else new.once
    return once_secret(new.reporter.pk if new.reporter else 0, mark) if new.once else ""


def _sent_before(new: NewReport, key: str) -> Report | None:
    return Report.objects.filter(reporter=new.reporter, once=key).first() if key else None


def _check_pace(new: NewReport) -> None:
    """Limit reports of a person, and those of an address, which may have many accounts. Raises too_fast.

    By who reports and never by what is reported: 200 people may report one moment.
    """
    if new.reporter is not None:
        REPORTS.check(str(new.reporter.pk))
    elif new.email:
        BY_MAIL.check(salted_hmac("moderation.report_by_mail", new.email.strip().lower()).hexdigest())
    if new.address:
        name, most = "report_from", settings.REPORTS_PER_ADDRESS
        if new.reporter is None:
            name, most = "report_signed_out", settings.REPORTS_SIGNED_OUT_PER_ADDRESS
        Limit(name, most / 10, most, ModerationRefused).check(new.address)


# --- staff and ledger -------------------------------------------------------------------------------------------------


def _tell(case: Case, urgent: bool) -> None:
    """Tell staff after the commit that there are new reports: of one case twice at once, then every five seconds.

    Staff who are party learn nothing; a case for few is named without its room.
    """
    is_for_few = case.child_safety or case.for_seniors
    slug = case.room.slug if case.room is not None and not is_for_few else ""
    not_to = frozenset(kept_from(case))
    after_commit(_tell_staff, case.pk, slug, urgent, not_to)


def _tell_staff(case: int, slug: str, urgent: bool, not_to: frozenset[int]) -> None:
    try:
        STAFF_TOLD.check(f"{case}:{urgent}")
        STAFF_TOLD_OF_ALL.check("urgent" if urgent else "others")
    except ModerationRefused:
        return  # they were told a moment ago
    message = {"type": "report_received", "room": slug, "data": {"urgent": urgent, "case": case}}
    tell_staff(message, not_to=not_to)  # type: ignore[arg-type]


def _acts(row: Report, case: Case, copies: list[ReportedMessage], *, opened: bool) -> list[Act]:
    """The entries of the ledger: ids and codes, and of words commitments that can be erased."""
    values: dict[str, Any] = {
        "case": case.pk,
        "kind": row.kind,
        "room": row.room_id,
        "subject": row.subject_id,
        "message": row.message,
        "category": row.category_id,
        "from": row.from_ms,
        "to": row.to_ms,
    }
    values = {name: value for name, value in values.items() if value is not None}
    if copies:
        values["copies"] = len(copies)
    if row.picture is not None:
        values["picture"] = hashlib.sha256(bytes(row.picture)).hexdigest()
    texts = {"words": row.words, "law": row.law, "shown": row.shown, "name": row.reporter_name}
    texts |= {"email": row.reporter_email}
    texts = {name: text for name, text in texts.items() if text} | texts_of(copies)
    joined: dict[str, Any] = {"report": row.pk}
    if opened and case.earlier_id is not None:
        joined["earlier"] = case.earlier_id
    return [
        Act("report_received", row.ledger_subject, row.reporter_id, values, texts),
        Act("case_opened" if opened else "case_joined", case.ledger_subject, row.reporter_id, joined),
    ]
