"""Reports: notices to moderators. Nobody but moderators learns of one, and the reporter gets a receipt."""

from __future__ import annotations

from functools import partial

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import transaction

from core.once import once_secret
from core.throttle import Limit
from ledger.actions import record
from moderation.models import WORDS, Notice, Report
from moderation.refusals import ModerationRefused
from moderation.rules.reports import LONGEST_MS, clamped_range, may_report
from people.models import User
from people.standing import lock_standing, standing_of, why_not_enter
from rooms.models import Room
from rooms.wire.sides import tell_staff

REPORTS = Limit("report", per_minute=2, burst=10, refused=ModerationRefused)
STAFF_TOLD = Limit("staff_told", per_minute=12, burst=2, refused=ModerationRefused)  # of all reports of one urgency
URGENT = (Notice.Category.CHILD_SAFETY, Notice.Category.LIFE_IN_DANGER)


def report(
    reporter: User,
    room: Room,
    *,
    category: str,
    from_ms: int,
    to_ms: int,
    subject: User | None = None,
    words: str = "",
    once: str = "",
    address: str = "",
) -> Report:
    """Store a report of a range of room time, in milliseconds, about a person or (`subject` None) the whole room.

    The range is clamped to the room. `address` is that of the client, as it is counted (`core.client_address`). The
    same `once` (a form's mark, or a program's key) by the same person is one report: the first is returned. Raises
    ModerationRefused: bad_value, not_report_oneself, too_fast and the codes of `may_report`.
    """
    key = once_secret(reporter.pk, once) if once else ""
    if known := _sent_before(reporter, key):
        return known
    check_pace(reporter, address)
    _refuse(why_not_report(reporter, room))
    if subject is not None and subject.pk == reporter.pk:
        raise ModerationRefused("not_report_oneself")
    values = _validated(room, category, words, from_ms, to_ms)
    with transaction.atomic():
        lock_standing(reporter.pk)  # two of the same form at once: the second finds the first
        if known := _sent_before(reporter, key):
            return known
        row = Report.objects.create(room=room, subject=subject, reporter=reporter, once=key, **values)
        tell_of_report(urgent=category in URGENT)
        _record(row)
    return row


def check_pace(reporter: User, address: str) -> None:
    """Limit reports of a person, and those of an address, which may have many accounts. Raises too_fast."""
    REPORTS.check(str(reporter.pk))
    if address:
        most = settings.REPORTS_PER_ADDRESS
        Limit("report_from", most / 10, most, ModerationRefused).check(address)


def tell_of_report(*, urgent: bool) -> None:
    """Tell staff after the commit that there are new reports: twice at once, then every five seconds.

    Without room and subject: staff may be either, and must not learn of a report about themselves.
    """
    transaction.on_commit(partial(_tell_staff, urgent), robust=True)


def _tell_staff(urgent: bool) -> None:
    try:
        STAFF_TOLD.check("urgent" if urgent else "others")
    except ModerationRefused:
        return  # they were told a moment ago, and nothing of a report is in the message
    tell_staff({"type": "report_received", "room": "", "data": {"urgent": urgent}})


def _sent_before(reporter: User, key: str) -> Report | None:
    return Report.objects.filter(reporter=reporter, once=key).first() if key else None


def why_not_report(reporter: User, room: Room) -> str | None:
    """Return the code for which a person may not report anything in a room; None if they may."""
    return may_report(
        kept_out=why_not_enter(standing_of(reporter)),
        started=room.started_at is not None,
        purged=room.purged_at is not None,
    )


def _validated(room: Room, category: str, words: str, from_ms: int, to_ms: int) -> dict[str, object]:
    """Normalize the values of a report. Raises bad_value with a field for each wrong one."""
    wrong, words = checked_words(category, words)
    limits = clamped_range(from_ms, to_ms, room_ms=room.room_time(room.ended_at))
    if limits is None:
        wrong["from_ms"] = wrong["to_ms"] = f"0 <= from_ms < to_ms <= from_ms + {LONGEST_MS}"
    if wrong or limits is None:
        raise ModerationRefused("bad_value", wrong)
    return {"category": category, "words": words, "from_ms": limits[0], "to_ms": limits[1]}


def checked_words(category: str, words: str) -> tuple[dict[str, str], str]:
    """Return what is wrong with a report's category and words, by field, and the words cleaned."""
    wrong: dict[str, str] = {}
    if category not in Notice.Category.values:
        wrong["category"] = ", ".join(Notice.Category.values)
    try:
        words = WORDS.clean(words, required=category == Notice.Category.OTHER)
    except ValidationError as error:
        wrong["words"] = " ".join(error.messages)
    return wrong, words


def _record(row: Report) -> None:
    """Write the ledger's entry: ids and codes, and of the words a commitment that can be erased."""
    values = {
        "room": row.room_id,
        "subject": row.subject_id,
        "category": row.category,
        "from": row.from_ms,
        "to": row.to_ms,
    }
    record("report_received", f"report:{row.pk}", row.reporter_id, values, {"words": row.words} if row.words else {})


def _refuse(code: str | None) -> None:
    if code is not None:
        raise ModerationRefused(code)
