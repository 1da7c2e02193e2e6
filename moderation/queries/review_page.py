"""Everything that the page of a review shows: appeals, the decision as it was told, and the evidence of its case."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from moderation.models import Appeal, Case, Decision, Measure, OutsideReviewer, Review, Statement
from moderation.models.cases import WITH_SOUND
from moderation.queries.case_page import CasePage, load_evidence
from moderation.queries.reviews import assign_facts, review_facts, visible_review
from moderation.rules.appeals import ReviewFacts, why_not_assign, why_not_review_claim, why_not_review_decide
from people.models import User
from retention.clocks import facts_of, rules
from retention.policy import Clock, Finding, clock


@dataclass(frozen=True)
class ReviewPage:
    """A review as one person sees it. `evidence` is the case without what staff wrote; of `decision` no page of a
    review names who made it."""

    review: Review
    reader: User
    facts: ReviewFacts
    now: datetime
    decision: Decision
    statement: Statement | None
    measures: list[Measure]
    appeals: list[Appeal]
    evidence: CasePage
    grant: OutsideReviewer | None
    why_not_assign: str | None

    @property
    def case(self) -> Case:
        return self.evidence.case

    @property
    def is_mine(self) -> bool:
        return self.facts.mine and self.review.state == Review.State.OPEN

    @property
    def is_taken(self) -> bool:
        return self.facts.taken and not self.facts.mine

    @property
    def minutes_left(self) -> int:
        until = self.review.claimed_until
        return 0 if until is None else max(0, round((until - self.now).total_seconds() / 60))

    @property
    def may_claim(self) -> bool:
        return why_not_review_claim(self.facts) is None

    @property
    def why_not_decide(self) -> str | None:
        return why_not_review_decide(self.facts)

    @property
    def is_late(self) -> bool:
        return self.review.is_open and self.review.due_at <= self.now

    @property
    def sees_case(self) -> bool:
        """Whether the case itself is for the reader too: not for an outside reviewer."""
        return self.facts.rights.review and self.facts.rights.cases.view

    @property
    def is_second(self) -> bool:
        """Whether the reader may be the second moderator of the new decision that waits."""
        proposed = self.review.state == Review.State.PROPOSED
        return proposed and self.facts.rights.cases.approve and self.review.reviewer_id != self.reader.pk

    @property
    def statement_parts(self) -> list[dict[str, Any]]:
        return [] if self.statement is None else self.statement.body.get("parts", [])


def load_review(reader: User, pk: int, now: datetime) -> ReviewPage:
    """Load a review for a person who may see it. Raises unknown_review."""
    review = visible_review(reader, pk)
    decision = review.decision
    return ReviewPage(
        review=review,
        reader=reader,
        facts=review_facts(review, reader),
        now=now,
        decision=decision,
        statement=Statement.objects.filter(decision=decision).first(),
        measures=list(decision.measures.all()),
        appeals=list(Appeal.objects.filter(review=review).order_by("filed_at", "pk")),
        evidence=load_evidence(reader, decision.case_id, now),
        grant=OutsideReviewer.objects.filter(review=review, ended_at=None).select_related("user").first(),
        why_not_assign=why_not_assign(assign_facts(review, reader)),
    )


def clock_with_review(
    review: Review,
    now: datetime,
    reader: int | None,
    *,
    overturned: bool,
    violation: bool = False,
    decided: bool = True,
) -> tuple[Clock | None, Clock | None]:
    """Compute the clock of the room as it is, and as the outcome of a review would leave it: without the hold of its
    appeals once it is `decided`, without the finding that is overturned, with a new `violation`. None where there is no
    copy; as far as the reader may know."""
    case = review.decision.case
    room = case.room
    if room is None or room.over_at is None or room.purged_at is not None or case.kind not in WITH_SOUND:
        return None, None
    facts = facts_of([room.pk], reader)[room.pk]
    before = clock(room.over_at, now, facts.findings, facts.holds, rules())
    if not decided:
        return before, before
    own = {f"appeal:{pk}" for pk in Appeal.objects.filter(review=review).values_list("pk", flat=True)}
    holds = [replace(hold, until=now) if hold.ref in own else hold for hold in facts.holds]
    findings: Sequence[Finding] = facts.findings
    if overturned:
        ended = f"decision:{review.decision_id}"
        findings = [replace(each, until=now) if each.ref == ended else each for each in findings]
    if violation:
        findings = [*findings, Finding("draft", now)]
    return before, clock(room.over_at, now, findings, holds, rules())
