"""Questions of moderators to a reporter, and answers. Neither learns more of the other than what they write."""

from __future__ import annotations

from django.db import transaction
from django.utils import timezone

from core.throttle import Limit
from ledger.actions import record
from moderation.actions.joining import kept_from
from moderation.actions.locking import refuse
from moderation.actions.receipts import send_question
from moderation.actions.typed import cleaned_text
from moderation.models import Case, Report, ReportQuestion
from moderation.models.reports import QUESTION
from moderation.refusals import ModerationRefused
from moderation.rules.reports import may_answer, may_ask
from moderation.wording import QUESTION_ASKED
from people.models import User
from rooms.wire.sides import tell_staff
from social.actions.messages import send_official

ANSWERS = Limit("report_answer", per_minute=2, burst=10, refused=ModerationRefused)


def ask_reporter(report: Report, by: User, text: str) -> ReportQuestion:
    """Ask whoever sent a report, as the moderator who has its case. They are told by a message of the site, or by mail.

    Raises ModerationRefused: bad_value, not_allowed (another has the case), case_closed, too_many_questions.
    """
    text = cleaned_text(QUESTION, "text", text)
    with transaction.atomic():
        case = _locked_case(report)
        claimed = case.holder(timezone.now()) == by.pk
        asked = report.questions.filter(author__isnull=False).count()
        refuse(may_ask(claimed=claimed, is_open=case.is_open, asked=asked))
        row = ReportQuestion.objects.create(report=report, author=by, text=text)
        if report.reporter is not None:
            send_official([report.reporter], QUESTION_ASKED, {"report": report.pk})
        else:
            send_question(report)
        record("question_asked", report.ledger_subject, by.pk, {"case": case.pk}, {f"question_{row.pk}": text})
    return row


def answer(report: Report, text: str, who: User | None) -> ReportQuestion:
    """Answer the moderators, as the account that reported, or signed out (`who` None) by the receipt's address.

    Raises ModerationRefused: bad_value, not_allowed (another's report), not_asked, case_closed, too_many_answers,
    too_fast.
    """
    text = cleaned_text(QUESTION, "text", text)
    ANSWERS.check(f"{report.pk}:{who.pk if who else None}")
    with transaction.atomic():
        case = _locked_case(report)
        refuse(_why_not_answer(report, case, who.pk if who else None))
        row = ReportQuestion.objects.create(report=report, text=text)
        tell_staff({"type": "case_changed", "room": "", "data": {"case": case.pk}}, not_to=kept_from(case))
        pk = who.pk if who else None
        record("question_answered", report.ledger_subject, pk, {"case": case.pk}, {f"answer_{row.pk}": text})
    return row


def may_answer_now(report: Report) -> bool:
    """Whether the receipt's page offers a field for an answer."""
    return _why_not_answer(report, report.case, report.reporter_id) is None


def _why_not_answer(report: Report, case: Case, who: int | None) -> str | None:
    authors = list(report.questions.values_list("author", flat=True))
    last = max((place for place, author in enumerate(authors) if author is not None), default=-1)
    waiting = len(authors) - 1 - last
    return may_answer(reporter=report.reporter_id, who=who, asked=last >= 0, waiting=waiting, is_open=case.is_open)


def _locked_case(report: Report) -> Case:
    return Case.objects.select_for_update(no_key=True).get(pk=report.case_id)
