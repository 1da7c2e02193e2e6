"""Putting a decision into force: outcomes of reports, measures, the statement, the clock."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from ledger.actions import Act
from moderation.actions.drafts import evidence_ranges
from moderation.actions.notifications import notify, notify_all
from moderation.actions.settling import settle_acts
from moderation.measures import MEASURES
from moderation.measures.base import person_for
from moderation.models import Case, Decision, Measure, Notification, Report, Statement
from moderation.models.cases import WITH_SOUND
from moderation.rules.evidence import overlaps
from moderation.statements import appeal_until, body_of
from retention.clocks import clock_of, facts_of, rules
from retention.policy import Clock, Finding, clock


def close_with(decision: Decision, measures: Sequence[Measure], now: datetime) -> list[Act]:
    """Close a locked case with a decision that comes into force; everybody whom it concerns is told. Returns entries
    for the ledger, which the caller writes last."""
    case = decision.case
    case.state, case.decided_at = Case.State.DECIDED, now
    case.save(update_fields=["state", "decided_at", "claimed_by", "claimed_until"])
    acts = put_into_force(decision, measures, now)
    notify_all(
        Notification(kind=Notification.Kind.REPORT_OUTCOME, decision=decision, report=report, person=report.reporter)
        for report in case.reports.select_related("reporter").order_by("pk")
    )
    return acts


def put_into_force(decision: Decision, measures: Sequence[Measure], now: datetime) -> list[Act]:
    """Put a decision of a locked case into force, and tell whom a violation concerns. Returns entries for the ledger,
    which the caller writes last; what measures change in lower apps has its own entries, so everything must be locked
    by now."""
    case = decision.case
    judge_reports(decision)
    acts = []
    for measure in measures:
        measure.decision, measure.applied_at = decision, now
        measure.ends_at = None if measure.days is None else now + timedelta(days=measure.days)
    for measure in measures:
        MEASURES[measure.kind].apply(measure)
        measure.save(update_fields=["memory", "applied_at", "ends_at"])
        data = {"decision": decision.pk, "measure": measure.kind, "until": _iso(measure.ends_at)}
        acts.append(Act("measure_applied", case.ledger_subject, decision.by_id, data))
    acts += settle_acts(case, decision, now)  # of a review's new decision there is none left
    if decision.outcome == Decision.Outcome.VIOLATION:
        acts.append(make_statement(decision, measures, now))
    return acts


def judge_reports(decision: Decision) -> None:
    """Set the outcome of a case's reports: founded where the violation's evidence overlaps their range."""
    case = decision.case
    violation = decision.outcome == Decision.Outcome.VIOLATION
    ranges = evidence_ranges(case, decision.ranges) if violation and case.kind in WITH_SOUND else []
    founded: list[int] = []
    unfounded: list[int] = []
    for report in Report.objects.filter(case=case).only("pk", "from_ms", "to_ms").order_by("pk"):
        hit = violation
        if hit and report.from_ms is not None and report.to_ms is not None:
            hit = overlaps((report.from_ms, report.to_ms), ranges)
        (founded if hit else unfounded).append(report.pk)
    Report.objects.filter(pk__in=founded).update(outcome=Report.Outcome.FOUNDED)
    Report.objects.filter(pk__in=unfounded).update(outcome=Report.Outcome.UNFOUNDED)


def make_statement(decision: Decision, measures: Sequence[Measure], now: datetime) -> Act:
    """Freeze the statement of a violation in the language of the person whom it concerns. Returns its entry."""
    case = decision.case
    person = person_for(measures[0])
    if case.room is not None:
        case.room.refresh_from_db()  # a measure may have ended it
    has_sound = case.room is not None and case.kind in WITH_SOUND and case.room.purged_at is None
    kept = clock_of(case.room, now) if case.room is not None and has_sound else None
    earlier = Statement.objects.filter(decision__reviews__replacement=decision, person=person).first()
    replaced = None if earlier is None else earlier.told_at or earlier.made_at
    body = body_of(decision, measures, person.language, now, kept, replaced)
    statement = Statement.objects.create(
        decision=decision,
        person=person,
        language=person.language,
        body=body,
        made_at=now,
        appeal_until=appeal_until(now),
    )
    notify(Notification.Kind.STATEMENT, decision, person=person)
    data = {"decision": decision.pk, "statement": statement.pk, "language": statement.language}
    return Act("statement_made", case.ledger_subject, None, data)


def clock_data(case: Case, now: datetime) -> dict[str, Any]:
    """The clock of a case's room, for the ledger; nothing where there is none."""
    if case.room is None or case.kind not in WITH_SOUND:
        return {}
    case.room.refresh_from_db()
    its = clock_of(case.room, now)
    return {} if its is None else {"purge_at": _iso(its.purge_at), "reason": str(its.reason)}


def clock_with(
    case: Case, now: datetime, reader: int | None = None, *, violation: bool, decided: bool
) -> tuple[Clock | None, Clock | None]:
    """Compute the clock of a case's room as it is, and as a decision would leave it; None without an ended room. With a
    `reader`, as far as this person may know."""
    room = case.room
    if room is None or room.over_at is None or room.purged_at is not None:
        return None, None
    facts = facts_of([room.pk], reader)[room.pk]
    before = clock(room.over_at, now, facts.findings, facts.holds, rules())
    if case.kind not in WITH_SOUND:
        return before, before
    own = f"case:{case.pk}"
    holds = [hold for hold in facts.holds if not (decided and hold.ref == own)]
    findings = [*facts.findings, Finding("draft", now)] if violation else facts.findings
    return before, clock(room.over_at, now, findings, holds, rules())


def _iso(moment: datetime | None) -> str | None:
    return None if moment is None else moment.isoformat()
