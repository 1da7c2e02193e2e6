"""Rules of appeals and their reviews: pure functions of facts. Each returns a refusal code, or None for yes."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from moderation.rules.access import Rights, sees_ordinary


@dataclass(frozen=True, slots=True)
class AppealFacts:
    """Facts on which it depends whether one side may appeal a decision: of this side alone, never of another's.

    `concerns` says that there is something to appeal for this side: a violation for whom it is about, no violation in
    the range that a reporter named. `final` says that a review overturned the decision, or made it, as far as a
    reporter is concerned.
    """

    stands: bool
    concerns: bool
    told: bool
    until: datetime | None
    appealed: bool = False
    final: bool = False


def why_not_appeal(facts: AppealFacts, now: datetime) -> str | None:
    """Appealing: once, while the decision stands, from the moment when one is told until the last day."""
    if facts.appealed:
        return "appealed_already"
    if facts.final:
        return "review_final"
    if not facts.stands or not facts.concerns:
        return "nothing_to_appeal"
    if not facts.told or facts.until is None:
        return "not_told"
    return "appeal_too_late" if now > facts.until else None


@dataclass(frozen=True, slots=True)
class ReviewRights:
    """Permissions on reviews, as granted now; `cases` are those on cases."""

    cases: Rights
    review: bool = False
    assign: bool = False
    assigned: bool = False  # may review what was given to them


@dataclass(frozen=True, slots=True)
class ReviewFacts:
    """Facts on which access to one review depends for one person, at one moment."""

    rights: ReviewRights
    party: bool = False
    took_part: bool = False  # in a decision of the case, or in the review of one
    given: bool = False  # as the outside reviewer
    child_safety: bool = False
    for_seniors: bool = False
    state: str = "open"
    mine: bool = False  # claimed by this person
    taken: bool = False  # claimed by another, and not over
    looked: bool = False


@dataclass(frozen=True, slots=True)
class AssignFacts:
    """Facts on which it depends whether somebody may give a review to an outside reviewer."""

    assign: bool
    party: bool
    took_part: bool
    only_one: bool  # nobody else may assign
    state: str
    stranded: bool  # nobody of the staff may decide it
    overdue: bool
    taken: bool
    given: bool  # to somebody who still has it


def why_not_review_see(facts: ReviewFacts) -> str | None:
    """Refuse a review as if there were none to parties, to those who had a part in a decision of its case, and to those
    for whom such a case is not. An outside reviewer sees what was given to them."""
    rights = facts.rights
    if facts.party or facts.took_part:
        return "unknown_review"
    if facts.given and rights.assigned:
        return None
    if not rights.review or not rights.cases.view:
        return "unknown_review"
    if facts.child_safety:
        return None if rights.cases.child_safety else "unknown_review"
    if not sees_ordinary(rights.cases) or (facts.for_seniors and not rights.cases.senior):
        return "unknown_review"
    return None


def why_not_review_claim(facts: ReviewFacts) -> str | None:
    if code := why_not_review_see(facts):
        return code
    if code := why_review_closed(facts.state):
        return code
    return "claimed_by_another" if facts.taken and not facts.mine else None


def why_not_review_decide(facts: ReviewFacts) -> str | None:
    """Deciding: whoever claimed the review and has looked at what the case is about."""
    if code := why_not_review_see(facts):
        return code
    if code := why_review_closed(facts.state):
        return code
    if not facts.mine:
        return "claimed_by_another" if facts.taken else "not_claimed"
    return None if facts.looked else "not_looked"


def why_not_assign(facts: AssignFacts) -> str | None:
    """Giving a review to an outside reviewer: where nobody of the staff may decide it, or nobody did in time. By
    somebody without a part in it, unless nobody else may assign."""
    if not facts.assign:
        return "not_allowed"
    if facts.party or (facts.took_part and not facts.only_one):
        return "unknown_review"
    if code := why_review_closed(facts.state):
        return code
    if facts.given:
        return "reviewer_given"
    if not facts.stranded and not facts.overdue:
        return "reviewer_eligible"
    return "claimed_by_another" if facts.taken else None


def why_review_closed(state: str) -> str | None:
    return {"decided": "reviewed_already", "proposed": "waits_for_second"}.get(state)
