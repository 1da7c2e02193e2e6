"""Reports of direct messages. The message and its neighbours are copied: moderators see these, and no conversation."""

from __future__ import annotations

import json
from collections.abc import Sequence

from django.db import transaction
from django.utils import translation

from core.once import once_secret
from ledger.actions import record
from moderation.actions.reports import URGENT, check_pace, checked_words, tell_of_report
from moderation.models import MessageReport, ReportedMessage
from moderation.refusals import ModerationRefused
from people.models import User
from people.standing import lock_standing, standing_of, why_not_enter
from social.actions.threads import lock_threads
from social.models import Message
from social.threads import Line, lines_of

NEIGHBOURS = 5  # copied on each side of the reported message


def report_message(
    reporter: User, message: Message, *, category: str, words: str = "", once: str = "", address: str = ""
) -> MessageReport:
    """Report a message that somebody sent to the reporter, also one who is blocked or closed their account.

    `address` is that of the client, as it is counted (`core.client_address`). The same `once` by the same person is one
    report: the first is returned. Raises ModerationRefused: unknown_message
    (for whatever the reporter does not see), not_report_oneself, not_allowed (an official message), bad_value, too_fast
    and the codes of a closed or suspended account.
    """
    key = once_secret(reporter.pk, f"message:{once}") if once else ""
    if known := _sent_before(reporter, key):
        return known
    check_pace(reporter, address)
    if code := why_not_enter(standing_of(reporter)):
        raise ModerationRefused(code)
    wrong, words = checked_words(category, words)
    if wrong:
        raise ModerationRefused("bad_value", wrong)
    with transaction.atomic():
        lock_standing(reporter.pk)  # two of the same form at once: the second finds the first
        if known := _sent_before(reporter, key):
            return known
        lock_threads([message.thread_id])  # neither side deletes it meanwhile
        reported = Message.objects.seen_by(reporter.pk).filter(pk=message.pk).first()
        subject_pk = _subject(reporter, reported)
        row = MessageReport.objects.create(
            message=message.pk, subject_id=subject_pk, reporter=reporter, category=category, words=words, once=key
        )
        copies = ReportedMessage.objects.bulk_create(_copies(row, reporter, message))
        tell_of_report(urgent=category in URGENT)
        _record(row, copies)
    return row


def _sent_before(reporter: User, key: str) -> MessageReport | None:
    return MessageReport.objects.filter(reporter=reporter, once=key).first() if key else None


def _subject(reporter: User, reported: Message | None) -> int:
    """Primary key of the account that a report is about. Raises ModerationRefused."""
    if reported is None:
        raise ModerationRefused("unknown_message")
    if reported.sender_id is None:
        raise ModerationRefused("not_allowed")
    if reported.sender_id == reporter.pk:
        raise ModerationRefused("not_report_oneself")
    return reported.sender_id


def _copies(row: MessageReport, reporter: User, message: Message) -> list[ReportedMessage]:
    """Copy a message and its neighbours, as the reporter sees them now; cards in English, with their data."""
    seen = Message.objects.seen_by(reporter.pk).filter(thread=message.thread_id)
    before = list(seen.filter(pk__lt=message.pk).order_by("-pk")[:NEIGHBOURS])[::-1]
    from_here = list(seen.filter(pk__gte=message.pk).order_by("pk")[: NEIGHBOURS + 1])
    with translation.override("en"):
        lines: Sequence[Line] = lines_of([*before, *from_here], reporter)
    return [
        ReportedMessage(
            report=row,
            place=place,
            reported=line.message.pk == message.pk,
            sender_id=line.message.sender_id,
            kind=line.message.kind,
            line=line.drawn.text,
            data=dict(line.drawn.data),
            sent_at=line.message.sent_at,
        )
        for place, line in enumerate(lines)
    ]


def _record(row: MessageReport, copies: Sequence[ReportedMessage]) -> None:
    """Write the ledger's entry: ids and codes; of words and copies commitments that can be erased."""
    values = {"subject": row.subject_id, "category": row.category, "message": row.message, "copies": len(copies)}
    texts = {f"message_{copy.place}": _committed(copy) for copy in copies}
    texts |= {"words": row.words} if row.words else {}
    record("report_received", f"message-report:{row.pk}", row.reporter_id, values, texts)


def _committed(copy: ReportedMessage) -> str:
    """All that is stored of a message, as one text."""
    data = f" {json.dumps(copy.data, sort_keys=True, ensure_ascii=False)}" if copy.data else ""
    return f"{copy.sender_id} {copy.sent_at.isoformat()} {copy.line}{data}"


@transaction.atomic
def note_reading(row: MessageReport, reader: User) -> None:
    """Write into the ledger that somebody opens a report with its copies; call it before they are shown."""
    record("evidence_read", f"message-report:{row.pk}", reader.pk, {"copies": row.copies.count()})
