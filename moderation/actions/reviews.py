"""Reviews of decisions that somebody appealed: claim, decide, and give one to an outside reviewer.

One review has one outcome for all who appealed. Everything happens in one transaction with the case and its room
locked, as when a case is decided.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, replace
from datetime import datetime

from django.core.exceptions import ValidationError
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from core.text import REASON
from ledger.actions import Act, record_all
from moderation.actions.drafts import Draft, cleaned_draft, stamp_of
from moderation.actions.force import clock_data
from moderation.actions.joining import refresh_parties
from moderation.actions.locking import locked_case, refuse
from moderation.actions.making import decided_act, new_decision, new_measures, suspend_for_now
from moderation.actions.replacing import end_grants, end_replaced, finish_review
from moderation.actions.review_claims import claim_review, lock_review, release_all, release_review
from moderation.actions.telling import review_changed
from moderation.actions.typed import cleaned_text
from moderation.models import Case, Decision, OutsideReviewer, Review
from moderation.models.appeals import REASONS
from moderation.queries.reviews import assign_facts, possible_outside, review_facts
from moderation.refusals import ModerationRefused
from moderation.rules.appeals import why_not_assign, why_not_review_decide
from moderation.rules.decisions import needs_second
from people.models import User

__all__ = [
    "ReviewDraft",
    "assign_outside",
    "claim_review",
    "cleaned_review_draft",
    "decide_review",
    "end_outside",
    "release_review",
    "review_stamp",
]

WRONG: dict[str, str | Promise] = {
    "outcome": _("Choose whether the decision is upheld or overturned."),
    "not_standing": _("This decision no longer stands: there is nothing to uphold."),
    "replacement_missing": _("Say what the violation is: “no violation” is overturned by a new decision."),
    "replacement_is_no_violation": _("A new decision finds a violation; without one the old is only undone."),
    "replacement_upheld": _("What is upheld is not replaced."),
}


@dataclass(frozen=True)
class ReviewDraft:
    """The outcome of a review as its reviewer writes it. `replacement` is the new decision where one takes the place of
    what is overturned; its `ranges` name the evidence on which it rests, where that is not all of the case."""

    outcome: str
    reasons: str
    replacement: Draft | None = None


def review_stamp(review: Review) -> str:
    """Compute a mark of all on which the outcome of a review depends: another one where something changed since."""
    appeals = list(review.appeals.order_by("pk").values_list("pk", flat=True))
    values = [review.state, appeals, stamp_of(review.decision.case)]
    return hashlib.sha256(json.dumps(values).encode()).hexdigest()[:32]


def cleaned_review_draft(review: Review, draft: ReviewDraft) -> tuple[ReviewDraft, dict[str, str]]:
    """Clean the texts of a draft, and return what is wrong with it, by field; fields of the new decision are those of
    `drafts`."""
    decision = review.decision
    if draft.outcome not in Review.Outcome.values:
        return draft, {"outcome": str(WRONG["outcome"])}
    wrong: dict[str, str] = {}
    try:
        draft = replace(draft, reasons=REASONS.clean(draft.reasons))
    except ValidationError as error:
        wrong["reasons"] = " ".join(error.messages)
    upheld, new = draft.outcome == Review.Outcome.UPHELD, draft.replacement
    if upheld and decision.state != Decision.State.STANDING:
        wrong["outcome"] = str(WRONG["not_standing"])
    if upheld and new is not None:
        wrong["replacement"] = str(WRONG["replacement_upheld"])
    elif not upheld and new is None and decision.outcome == Decision.Outcome.NO_VIOLATION:
        wrong["replacement"] = str(WRONG["replacement_missing"])
    elif new is not None and not new.violation:
        wrong["replacement"] = str(WRONG["replacement_is_no_violation"])
    elif new is not None:
        new, more = cleaned_draft(decision.case, new)
        draft, wrong = replace(draft, replacement=new), wrong | more
    return draft, wrong


def decide_review(review: Review, by: User, draft: ReviewDraft, stamp: str | None = None) -> Review:
    """Decide a review: uphold the decision, or overturn it and undo exactly what it imposed, with or without a new
    decision. One that needs a second moderator makes the review `proposed`: what is overturned stands until then.

    Raises case_changed where an appeal or evidence came since the `stamp`, bad_value with a text for each wrong field,
    and the codes of `why_not_review_decide`.
    """
    with locked_case(review.decision.case_id, with_room=True) as case:
        refresh_parties(case)
        row = lock_review(review, case)
        refuse(why_not_review_decide(review_facts(row, by)))
        refuse("case_changed" if stamp is not None and stamp != review_stamp(row) else None)
        draft, wrong = cleaned_review_draft(row, draft)
        if wrong:
            raise ModerationRefused("bad_value", wrong)
        now = timezone.now()
        row.outcome, row.reasons, row.reviewer = draft.outcome, draft.reasons, by
        acts = _decided(row, case, draft.replacement, now)
        review_changed(case)
        record_all(acts)
    return row


def _decided(row: Review, case: Case, draft: Draft | None, now: datetime) -> list[Act]:
    if row.outcome == Review.Outcome.UPHELD:
        return finish_review(row, now)
    assert row.reviewer is not None
    if draft is None:
        return finish_review(row, now, end_replaced(row, now))
    proposed = needs_second(draft.measures)
    ended = [] if proposed else end_replaced(row, now)
    decision = new_decision(case, row.reviewer, draft, now, proposed=proposed)
    measures = new_measures(decision, draft)
    if not proposed:
        finished = finish_review(row, now, ended, decision, measures)
        return [decided_act("decided", decision, measures, clock_data(case, now)), *finished]
    row.state, row.replacement = Review.State.PROPOSED, decision
    row.claimed_by = row.claimed_until = None
    row.save(update_fields=["state", "outcome", "reasons", "reviewer", "replacement", "claimed_by", "claimed_until"])
    suspend_for_now(measures, now)
    data = {"review": row.pk, "decision": row.decision_id, "replacement": decision.pk}
    return [
        decided_act("decision_proposed", decision, measures, clock_data(case, now)),
        Act("review_proposed", case.ledger_subject, row.reviewer_id, data, {"reasons": row.reasons}),
    ]


# --- outside reviewers ------------------------------------------------------------------------------------------------


def assign_outside(review: Review, user: User, by: User, reason: str) -> OutsideReviewer:
    """Give a review to an outside reviewer, because nobody of the staff may decide it, or nobody did in time.

    Raises bad_value (no reason), not_eligible (an account that is closed, without the role, a party, or with a part in
    the case), and the codes of `why_not_assign`.
    """
    reason = cleaned_text(REASON, "reason", reason)
    with locked_case(review.decision.case_id) as case:
        refresh_parties(case)
        row = lock_review(review, case)
        refuse(why_not_assign(assign_facts(row, by)))
        if user.pk == by.pk or not possible_outside(row).filter(pk=user.pk).exists():
            raise ModerationRefused("not_eligible")
        grant = OutsideReviewer.objects.create(review=row, user=user, given_by=by, reason=reason)
        review_changed(case)
        data = {"review": row.pk, "grant": grant.pk, "user": user.pk}
        record_all([Act("outside_reviewer_given", case.ledger_subject, by.pk, data, {"reason": reason})])
    return grant


def end_outside(grant: OutsideReviewer, by: User) -> bool:
    """Take a review back from its outside reviewer, with the claim. Returns whether they had it. Raises not_allowed,
    and unknown_review for parties, and those with a part in the case where another may do it."""
    with locked_case(grant.review.decision.case_id) as case:
        row = lock_review(grant.review, case)
        facts = assign_facts(row, by)
        refuse(None if facts.assign else "not_allowed")
        refuse("unknown_review" if facts.party or (facts.took_part and not facts.only_one) else None)
        if not OutsideReviewer.objects.filter(pk=grant.pk, ended_at=None).exists():
            return False
        acts = end_grants(row, timezone.now(), by.pk)
        if row.state == Review.State.OPEN and row.claimed_by_id == grant.user_id:
            acts += release_all([row], why="given_back")
        review_changed(case)
        record_all(acts)
    return True
