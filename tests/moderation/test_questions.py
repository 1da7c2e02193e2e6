"""Questions of moderators to reporters, answers, and receipts: neither side learns more of the other."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.core import mail
from django.utils import timezone

from ledger.models import Entry
from moderation.actions.questions import answer, ask_reporter, may_answer_now
from moderation.models import Case, Report, ReportQuestion
from moderation.queries.reports import Progress, progress_of, report_of_receipt
from moderation.refusals import ModerationRefused
from people.models import User
from social.models import Message
from tests.support.people import person
from tests.support.reports import closed, report, stranger_report
from tests.support.rooms import open_room

pytestmark = pytest.mark.django_db


def refused(act: Any, *args: Any, **named: Any) -> str:
    with pytest.raises(ModerationRefused) as caught:
        act(*args, **named)
    return caught.value.code


def claimed(row: Report, moderator: User) -> None:
    until = timezone.now() + timedelta(minutes=30)
    Case.objects.filter(pk=row.case_id).update(claimed_by=moderator, claimed_until=until)


def test_questions_and_answers() -> None:
    moderator, reporter, other = person("moderator"), person("reporter"), person("other")
    row = report(reporter, open_room())
    assert refused(ask_reporter, row, moderator, "When?") == "not_allowed", "without the case"
    assert refused(answer, row, "At once", reporter) == "not_asked"
    claimed(row, moderator)
    assert refused(ask_reporter, row, moderator, " ") == "bad_value"
    ask_reporter(row, moderator, "When was it?")
    assert Message.objects.get(receiver=reporter).data["text"] == "report_question"
    assert refused(answer, row, "Not mine", other) == "not_allowed"
    assert refused(answer, row, "Not mine", None) == "not_allowed"
    for _number in range(3):
        answer(row, "In the first minute", reporter)
    assert refused(answer, row, "And more", reporter) == "too_many_answers"
    assert list(ReportQuestion.objects.values_list("author", flat=True)) == [moderator.pk, None, None, None]
    kinds = Entry.objects.filter(subject=f"report:{row.pk}").values_list("kind", "actor")
    assert set(kinds) == {("report_received", reporter.pk), ("question_asked", moderator.pk)} | {
        ("question_answered", reporter.pk)
    }
    closed(row.case)
    row = Report.objects.get(pk=row.pk)
    assert refused(ask_reporter, row, moderator, "Why?") == "case_closed"
    assert refused(answer, row, "Late", reporter) == "case_closed" and not may_answer_now(row)


def test_a_question_to_somebody_without_an_account_goes_by_mail_and_not_too_often() -> None:
    moderator, row = person("moderator"), stranger_report(open_room())
    mail.outbox.clear()
    claimed(row, moderator)
    ask_reporter(row, moderator, "When?")
    assert mail.outbox == [], "they had the receipt a moment ago"
    answer(row, "Then", None)
    assert ReportQuestion.objects.count() == 2


def test_progress_says_nothing_of_who_works_on_it() -> None:
    row = report(person("reporter"), open_room())
    assert progress_of(row) == Progress.RECEIVED
    claimed(row, person("moderator"))
    row = Report.objects.get(pk=row.pk)
    assert progress_of(row) == Progress.LOOKED_AT
    closed(row.case)
    assert progress_of(Report.objects.get(pk=row.pk)) == Progress.DECIDED


def test_receipts_are_for_whoever_reported() -> None:
    reporter, room = person("reporter"), open_room()
    own, loose = report(reporter, room), stranger_report(room)
    assert report_of_receipt(own.receipt, reporter) == own
    assert report_of_receipt(own.receipt, None) is None and report_of_receipt(own.receipt, room.host) is None
    assert report_of_receipt(loose.receipt, None) == loose
    assert report_of_receipt(uuid4(), reporter) is None
