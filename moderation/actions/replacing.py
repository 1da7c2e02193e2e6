"""Ends of reviews: what a decision that is overturned imposed is undone, another may take its place, and all whom it
changes something for are told.

Locks come first, then outcomes of reports, then measures, whose lower actions write to the ledger: after that nothing
is waited for.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from ledger.actions import Act
from moderation.actions.force import clock_data, judge_reports, put_into_force
from moderation.actions.notifications import notify_all
from moderation.actions.undoing import end_standing, undo_measures
from moderation.measures import person_of
from moderation.models import Decision, Measure, Notification, OutsideReviewer, Report, Review, Side, Statement
from people.standing import lock_standing

ENDS = ["state", "outcome", "reasons", "reviewer", "decided_at", "replacement", "claimed_by", "claimed_until"]


def review_of(decision: Decision) -> Review | None:
    """Lock the review whose new decision this is; None for the decision of a case. The caller has the case locked."""
    rows = Review.objects.select_for_update(no_key=True, of=("self",)).select_related("decision", "reviewer")
    review = rows.filter(replacement=decision).first()
    if review is not None:
        review.decision.case = decision.case
    return review


def end_replaced(review: Review, now: datetime) -> list[Measure]:
    """End the decision that a review overturns, if it still stands. Returns its measures, locked, for
    `finish_review`."""
    case = review.decision.case
    if person := person_of(case):
        lock_standing(person.pk)  # before threads, whichever of both decisions needs which
    row = Decision.objects.select_for_update(no_key=True).get(pk=review.decision_id)
    row.case = case
    review.decision = row
    return end_standing(row, review.reviewer, now) if row.state == Decision.State.STANDING else []


def finish_review(
    review: Review,
    now: datetime,
    ended: Sequence[Measure] = (),
    replacement: Decision | None = None,
    measures: Sequence[Measure] = (),
) -> list[Act]:
    """End a locked review with its outcome: undo what `ended`, put its new decision into force, and tell all sides.
    Returns entries for the ledger."""
    review.state, review.decided_at, review.replacement = Review.State.DECIDED, now, replacement
    review.claimed_by = review.claimed_until = None
    review.save(update_fields=ENDS)
    changed = _judged_anew(review, replacement)
    acts = end_grants(review, now)
    if review.outcome == Review.Outcome.OVERTURNED:
        acts.append(Act("decision_undone", review.decision.ledger_subject, review.reviewer_id, _named(review)))
        acts += undo_measures(ended, now)
    if replacement is not None:
        acts += put_into_force(replacement, measures, now)
    _tell(review, changed, replaced=replacement is not None)
    data = _named(review) | {"outcome": str(review.outcome)} | clock_data(review.decision.case, now)
    if replacement is not None:
        data["replacement"] = replacement.pk
    texts = {"reasons": review.reasons}
    return [Act("review_decided", review.decision.ledger_subject, review.reviewer_id, data, texts), *acts]


def reopen(review: Review, now: datetime) -> list[Act]:
    """Open a locked review again whose new decision nobody approved: somebody else reviews it. Returns entries."""
    review.state, review.outcome, review.reasons = Review.State.OPEN, "", ""
    review.reviewer = review.replacement = None
    review.save(update_fields=ENDS)
    grants = end_grants(review, now)
    return [Act("review_reopened", review.decision.ledger_subject, None, _named(review)), *grants]


def end_grants(review: Review, now: datetime, by: int | None = None) -> list[Act]:
    """Take a review back from its outside reviewer. Returns entries."""
    acts = []
    for row in OutsideReviewer.objects.filter(review=review, ended_at=None):
        row.ended_at = now
        row.save(update_fields=["ended_at"])
        data = {"review": review.pk, "grant": row.pk, "user": row.user_id}
        acts.append(Act("outside_reviewer_ended", review.decision.ledger_subject, by, data))
    return acts


def _named(review: Review) -> dict[str, object]:
    return {"review": review.pk, "decision": review.decision_id}


def _judged_anew(review: Review, replacement: Decision | None) -> list[Report]:
    """Set the outcomes of a case's reports anew; unfounded where an overturned violation was not replaced. Returns the
    reports whose outcome is another."""
    if review.outcome != Review.Outcome.OVERTURNED:
        return []
    case = review.decision.case
    before = dict(Report.objects.filter(case=case).values_list("pk", "outcome"))
    if replacement is not None:
        judge_reports(replacement)
    else:
        Report.objects.filter(case=case).update(outcome=Report.Outcome.UNFOUNDED)
    rows = Report.objects.filter(case=case).select_related("reporter").order_by("pk")
    return [row for row in rows if row.outcome != before[row.pk]]


def _tell(review: Review, changed: Sequence[Report], *, replaced: bool) -> None:
    """Tell those who appealed the outcome; other reporters, and the person concerned, where something changed for them.
    A new decision has a statement of its own, which says it to the latter."""
    kinds = Notification.Kind
    appeals = list(review.appeals.select_related("person", "report"))
    rows = [
        Notification(
            kind=kinds.APPEAL_OUTCOME, decision=review.decision, review=review, report=one.report, person=one.person
        )
        for one in appeals
    ]
    told = {one.report_id for one in appeals}
    rows += [
        Notification(
            kind=kinds.OUTCOME_CHANGED, decision=review.decision, review=review, report=row, person=row.reporter
        )
        for row in changed
        if row.pk not in told
    ]
    statement = Statement.objects.filter(decision=review.decision_id).select_related("person").first()
    appealed = any(one.side == Side.CONCERNED for one in appeals)
    if statement is not None and review.outcome == Review.Outcome.OVERTURNED and not replaced and not appealed:
        person = statement.person
        rows.append(Notification(kind=kinds.OUTCOME_CHANGED, decision=review.decision, review=review, person=person))
    notify_all(rows)
