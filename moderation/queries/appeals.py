"""Rights to appeal: what each side may do about a decision, from what this side was told and did.

What a reporter learns here never depends on other reporters or on whom the case is about.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings

from moderation.models import Appeal, Case, Decision, Notification, Report, Review, Side, Statement
from moderation.rules.appeals import AppealFacts, why_not_appeal
from people.models import User

IN_FORCE_ONCE = (Decision.State.STANDING, Decision.State.UNDONE)


@dataclass(frozen=True)
class AppealRight:
    """Right of one side to appeal one decision, as it is now.

    `refusal` is a code of `moderation.refusals`, None where this side may appeal. `review` is that of their appeal, or
    the one by which something changed for them; when it was opened and is due is not for them, since it may be
    another's too: `due_at` is theirs. `later` is a review by which that changed after it had answered their appeal.
    """

    decision: Decision
    side: str
    person: User | None  # None: a reporter without an account
    report: Report | None
    language: str
    until: datetime | None
    refusal: str | None
    appeal: Appeal | None
    review: Review | None
    later: Review | None = None

    @property
    def may_appeal(self) -> bool:
        return self.refusal is None

    @property
    def due_at(self) -> datetime | None:
        """By when this side's appeal is to be decided; None where there is none."""
        return None if self.appeal is None else self.appeal.filed_at + timedelta(days=settings.APPEAL_DUE_DAYS)


def concerned_right(statement: Statement, now: datetime) -> AppealRight:
    """Return what the person concerned may do about the decision of a statement."""
    return _concerned([statement], now)[0]


def reporter_right(report: Report, now: datetime) -> AppealRight | None:
    """Return what a reporter may do about what was decided of their report; None while nothing was."""
    return next(iter(_reporter([report], now)), None)


def rights_of_person(user: User, now: datetime) -> list[AppealRight]:
    """Return what a person may do about decisions that concern them, and about those of their reports, the last first;
    the number of queries does not grow with them."""
    statements = Statement.objects.filter(person=user).select_related(
        "decision__case__room", "decision__rule", "person"
    )
    reports = Report.objects.filter(reporter=user, case__state=Case.State.DECIDED)
    about = _concerned(statements.order_by("-made_at", "-pk"), now)
    return about + _reporter(reports.select_related("case__room", "reporter").order_by("-at", "-pk"), now)


def asked_again(right: AppealRight, now: datetime) -> AppealRight | None:
    """Compute a right anew from rows as they are now. The caller has the case locked."""
    if right.report is not None:
        return reporter_right(Report.objects.select_related("case__room", "reporter").get(pk=right.report.pk), now)
    statement = Statement.objects.select_related("decision__case__room", "person").get(decision=right.decision.pk)
    return concerned_right(statement, now)


def _concerned(rows: Iterable[Statement], now: datetime) -> list[AppealRight]:
    statements = list(rows)
    decisions = [row.decision_id for row in statements]
    filed = Appeal.objects.filter(decision__in=decisions, side=Side.CONCERNED).select_related("review")
    appeals = {row.decision_id: row for row in filed}
    changed = _changes(decision__in=decisions, report=None)
    rights = []
    for row in statements:
        decision, appeal = row.decision, appeals.get(row.decision_id)
        facts = AppealFacts(
            stands=decision.state == Decision.State.STANDING,
            concerns=decision.outcome == Decision.Outcome.VIOLATION,
            told=row.told_at is not None,
            until=row.appeal_until,
            appealed=appeal is not None,
        )
        rights.append(
            AppealRight(
                decision=decision,
                side=Side.CONCERNED,
                person=row.person,
                report=None,
                language=row.language,
                until=row.appeal_until if row.told_at is not None else None,
                refusal=why_not_appeal(facts, now),
                appeal=appeal,
                **_reviews(appeal, changed.get((row.decision_id, None))),
            )
        )
    return rights


def _reporter(rows: Iterable[Report], now: datetime) -> list[AppealRight]:
    reports = [row for row in rows if row.case.state == Case.State.DECIDED]
    decisions = _in_force([row.case_id for row in reports])
    keys = [row.pk for row in reports]
    appeals = {
        row.report_id: row for row in Appeal.objects.filter(report__in=keys).select_related("review", "decision")
    }
    changed = {report: review for (_decision, report), review in _changes(report__in=keys).items()}
    rights = []
    for row in reports:
        appeal, told = appeals.get(row.pk), decisions.get(row.case_id, [])
        if not told:
            continue  # a proposal lapsed: nothing was decided
        decision = told[-1]
        facts = AppealFacts(
            stands=decision.state == Decision.State.STANDING,
            concerns=row.outcome == Report.Outcome.UNFOUNDED,
            told=row.appeal_until is not None,
            until=row.appeal_until,
            appealed=appeal is not None,
            final=_by_review(decision),
        )
        rights.append(
            AppealRight(
                decision=appeal.decision if appeal is not None else decision,
                side=Side.REPORTER,
                person=row.reporter,
                report=row,
                language=row.reporter.language if row.reporter is not None else row.language,
                until=row.appeal_until,
                refusal=why_not_appeal(facts, now),
                appeal=appeal,
                **_reviews(appeal, changed.get(row.pk)),
            )
        )
    return rights


def _in_force(cases: Sequence[int]) -> dict[int, list[Decision]]:
    """The decisions of cases that are or were in force, by case, the last one last."""
    rows = Decision.objects.filter(case__in=cases, state__in=IN_FORCE_ONCE).select_related("case__room", "made_by")
    found: dict[int, list[Decision]] = {}
    for row in rows.prefetch_related("reviews").order_by("at", "pk"):
        found.setdefault(row.case_id, []).append(row)
    return found


def _by_review(decision: Decision) -> bool:
    """Whether a review made this decision, or overturned it: what is left is final here for reporters."""
    reviews = decision.reviews.all()
    overturned = any(row.outcome == Review.Outcome.OVERTURNED and not row.is_open for row in reviews)
    return overturned or getattr(decision, "made_by", None) is not None


def _reviews(appeal: Appeal | None, changed_by: Review | None) -> dict[str, Review | None]:
    """The reviews that somebody knows of, as fields of their right."""
    if appeal is None:
        return {"review": changed_by}
    return {"review": appeal.review, "later": changed_by}


def _changes(**wanted: Any) -> dict[tuple[int, int | None], Review]:
    """The last reviews that changed what somebody was told without an appeal of theirs, by decision and report."""
    rows = Notification.objects.filter(kind=Notification.Kind.OUTCOME_CHANGED, **wanted).select_related("review")
    return {(row.decision_id, row.report_id): row.review for row in rows.order_by("pk") if row.review is not None}
