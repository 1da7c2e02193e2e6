"""Decisions of cases: decide, and what a second moderator does with a proposal.

Everything happens in one transaction with the case and its room locked: rows of lower apps too. A process that is
killed leaves all of it or nothing, and what follows a commit (`standing_changed`) has a sweep of its own.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.utils import timezone

from core.text import REASON
from ledger.actions import Act, record_all
from moderation.actions.drafts import Draft, checked_draft, cleaned_draft, is_copy_closed, stamp_of
from moderation.actions.force import clock_data, clock_with, close_with
from moderation.actions.joining import refresh_parties
from moderation.actions.locking import checked, locked_case, refuse
from moderation.actions.making import decided_act, end_proposal, lapse_of, new_decision, new_measures, suspend_for_now
from moderation.actions.replacing import end_replaced, finish_review, reopen, review_of
from moderation.actions.settling import keep_acts_open, settle_acts
from moderation.actions.telling import case_changed
from moderation.actions.typed import cleaned_text
from moderation.actions.undoing import undo_decision
from moderation.measures import MEASURES, person_of
from moderation.measures.restrict import Restrict
from moderation.measures.suspend import PROVISIONAL, Suspend
from moderation.models import Case, Decision, Measure
from moderation.rules.access import why_not_approve, why_not_decide
from moderation.rules.decisions import needs_second
from moderation.statements import body_of
from people.models import User
from retention.policy import Clock
from rooms.queries.restrictions import times_downloaded

__all__ = ["PROVISIONAL", "Draft", "Preview", "approve", "decide", "lapse", "preview", "turn_down", "undo_decision"]


def decide(case: Case, by: User, draft: Draft, stamp: str | None = None) -> Decision:
    """Decide a case. A suspension for good or over 30 days is proposed: the account is suspended for 72 hours, and all
    else waits for a second moderator.

    `stamp` marks what the draft was written on (`stamp_of`). Raises case_changed where that is not so any more,
    bad_value with a text for each wrong field, and the codes of `why_not_decide`.
    """
    with locked_case(case.pk, with_room=True) as row:
        refresh_parties(row)
        checked(row, by, why_not_decide)
        refuse("case_changed" if stamp is not None and stamp != stamp_of(row) else None)
        draft = checked_draft(row, draft)
        now = timezone.now()
        proposed = draft.violation and needs_second(draft.measures)
        decision = new_decision(row, by, draft, now, proposed=proposed)
        measures = new_measures(decision, draft)
        row.claimed_by = row.claimed_until = None
        if proposed:
            row.state = Case.State.PROPOSED
            row.save(update_fields=["state", "claimed_by", "claimed_until"])
            suspend_for_now(measures, now)
            acts = [decided_act("decision_proposed", decision, measures, clock_data(row, now))]
        else:
            following = close_with(decision, measures, now)
            acts = [decided_act("decided", decision, measures, clock_data(row, now)), *following]
        case_changed(row)
        record_all(acts)
    return decision


def approve(decision: Decision, by: User) -> Decision:
    """Approve a proposal as the second moderator: its measures begin now. Raises the codes of `why_not_approve`, and
    copy_closed where a child-abuse report closed the copy since, which this decision would open. One that replaces
    what a review overturned ends that review, and undoes what is replaced."""
    with locked_case(decision.case_id, with_room=True) as case:
        row = _proposal(case, decision, by)
        review = review_of(row)
        now = timezone.now()
        measures = list(row.measures.all())
        restricts = any(measure.kind == Restrict.key for measure in measures)
        refuse("copy_closed" if is_copy_closed(case) and not restricts else None)
        ended = [] if review is None else end_replaced(review, now)
        row.state, row.second_by, row.second_at = Decision.State.STANDING, by, now
        row.save(update_fields=["state", "second_by", "second_at"])
        for measure in measures:
            measure.decision = row
            MEASURES[measure.kind].lock_again(measure)
        acts = close_with(row, measures, now) if review is None else finish_review(review, now, ended, row, measures)
        for measure in measures:
            if measure.kind == Suspend.key:
                Suspend.end_for_now(measure)
        data = {"decision": row.pk, **clock_data(case, now)}
        case_changed(case)
        record_all([Act("decision_approved", case.ledger_subject, by.pk, data), *acts])
    return row


def turn_down(decision: Decision, by: User, reason: str) -> Decision:
    """Turn a proposal down as the second moderator: the suspension ends, and the case is open again, or the
    review whose new decision it was. Raises bad_value and the codes of `why_not_approve`."""
    reason = cleaned_text(REASON, "reason", reason)
    with locked_case(decision.case_id, with_room=True) as case:
        row = _proposal(case, decision, by)
        now = timezone.now()
        row.second_by, row.second_at, row.second_reason = by, now, reason
        review = review_of(row)
        if review is None:
            end_proposal(row, Decision.State.TURNED_DOWN, now)
            case.state = Case.State.OPEN
            case.save(update_fields=["state"])
            keep_acts_open(case, now)
            reopened = []
        else:
            reopened = reopen(review, now)
            end_proposal(row, Decision.State.TURNED_DOWN, now)
        data = {"decision": row.pk, **clock_data(case, now)}
        case_changed(case)
        record_all([Act("decision_turned_down", case.ledger_subject, by.pk, data, {"reason": reason}), *reopened])
    return row


def lapse(decision: Decision, now: datetime) -> bool:
    """End a proposal that nobody approved until the day of the violation period; its case is closed, or the review open
    again whose new decision it was. Returns whether it lapsed."""
    with locked_case(decision.case_id, with_room=True) as case:
        row = Decision.objects.select_for_update(no_key=True).get(pk=decision.pk)
        row.case = case
        if row.state != Decision.State.PROPOSED or lapse_of(row) > now:
            return False
        review = review_of(row)
        if review is not None:
            acts = reopen(review, now)
            end_proposal(row, Decision.State.LAPSED, now)
        else:
            end_proposal(row, Decision.State.LAPSED, now)
            case.state, case.decided_at = Case.State.DECIDED, now
            case.save(update_fields=["state", "decided_at"])
            acts = settle_acts(case, None, now)
        data = {"decision": row.pk, **clock_data(case, now)}
        case_changed(case)
        record_all([Act("decision_lapsed", case.ledger_subject, None, data), *acts])
    return True


# --- preview ----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Preview:
    """Effects of a draft. `statement` is what the person reads (`moderation.statements`), None where nobody gets
    one; `wrong` is a text for each field that is not right yet."""

    wrong: dict[str, str]
    statement: dict[str, Any] | None
    person: User | None
    language: str
    measures: list[str]  # in the active reader's language, with their ends
    needs_second: bool
    clock_before: Clock | None
    clock_after: Clock | None
    downloaded: int


def preview(
    case: Case, draft: Draft, language: str = "en", reader: int | None = None, kept: Clock | None = None
) -> Preview:
    """Show what a draft would do, without doing anything. `language` is the moderator's; the clocks are shown as far as
    a `reader` may know. `kept` is the clock of which the statement tells where more ends with the draft than a case."""
    draft, wrong = cleaned_draft(case, draft)
    now = timezone.now()
    person = person_of(case)
    second = draft.violation and needs_second(draft.measures)
    real = kept or clock_with(case, now, violation=draft.violation, decided=not second)[1]
    before, after = clock_with(case, now, reader, violation=draft.violation, decided=not second)
    theirs = person.language if person is not None else language
    decision = Decision(case=case, outcome=draft.outcome, state=Decision.State.STANDING, at=now, by_id=0)
    decision.rule, decision.ground, decision.law = draft.rule_version, draft.ground, draft.law
    decision.facts, decision.public_facts, decision.ranges = draft.facts, draft.public_facts, draft.ranges
    rows = [
        Measure(decision=decision, kind=key, days=days, ends_at=end_of(days, now))
        for key, days in draft.measures
        if key in MEASURES
    ]
    body = body_of(decision, rows, theirs, now, real) if draft.violation and draft.rule_version and not wrong else None
    return Preview(
        wrong=wrong,
        statement=body,
        person=person if draft.violation else None,
        language=theirs,
        measures=[MEASURES[row.kind].describe(row, language) for row in rows],
        needs_second=second,
        clock_before=before,
        clock_after=after,
        downloaded=times_downloaded(case.room) if case.room is not None else 0,
    )


def end_of(days: int | None, now: datetime) -> datetime | None:
    return None if days is None else now + timedelta(days=days)


# --- rows -------------------------------------------------------------------------------------------------------------


def _proposal(case: Case, decision: Decision, by: User) -> Decision:
    """Lock a proposal that this person may approve or turn down. Raises the codes of `why_not_approve`."""
    refresh_parties(case)
    checked(case, by, why_not_approve)
    row = Decision.objects.select_for_update(no_key=True).get(pk=decision.pk)
    row.case = case
    lapsed = lapse_of(row) <= timezone.now()
    refuse("not_proposed" if row.state != Decision.State.PROPOSED or lapsed else None)
    return row
