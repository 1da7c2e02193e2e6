"""Claims of reviews: one person works on a review, for half an hour, renewed by work, as with cases (`claims.py`)."""

from __future__ import annotations

from collections.abc import Iterable

from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from ledger.actions import Act, record_all
from moderation.actions.claims import FOR, lock_claims
from moderation.actions.joining import refresh_parties
from moderation.actions.locking import locked_case, refuse
from moderation.actions.telling import review_changed
from moderation.models import Case, Review
from moderation.queries.reviews import review_facts
from moderation.refusals import ModerationRefused
from moderation.rules.appeals import why_not_review_claim
from people.models import User


def claim_review(review: Review, by: User) -> Review:
    """Claim a review for half an hour; another one that this person has is released. Claiming again renews, also what
    was over and nobody took. Raises the codes of `why_not_review_claim`."""
    with transaction.atomic():
        lock_claims(by)
        with locked_case(review.decision.case_id) as case:
            rows = _locked(Q(pk=review.pk) | Q(claimed_by=by.pk, state=Review.State.OPEN))
            row = next(one for one in rows if one.pk == review.pk)
            row.decision.case = case
            refresh_parties(case)
            row.refresh_from_db(fields=["claimed_by", "claimed_until"])
            refuse(why_not_review_claim(review_facts(row, by)))
            again = row.claimed_by_id == by.pk
            acts = release_all([one for one in rows if one.pk != row.pk and one.claimed_by_id == by.pk])
            row.claimed_by, row.claimed_until = by, timezone.now() + FOR
            row.save(update_fields=["claimed_by", "claimed_until"])
            if not again:
                acts.append(Act("review_claimed", case.ledger_subject, by.pk, {"review": row.pk}))
                review_changed(case)
            if acts:
                record_all(acts)
    return row


def release_review(review: Review, by: User) -> bool:
    """Give a claim back. Returns whether this person had it."""
    with transaction.atomic():
        rows = _locked(Q(pk=review.pk, claimed_by=by.pk, state=Review.State.OPEN))
        if not rows or rows[0].holder(timezone.now()) is None:
            return False
        review_changed(rows[0].decision.case)
        record_all(release_all(rows))
    return True


def release_expired_reviews() -> int:
    """Release the claims whose time is over; returns how many. Rows that another has locked are left to the next
    time."""
    with transaction.atomic():
        over = Review.objects.filter(claimed_until__lte=timezone.now(), state=Review.State.OPEN)
        locked = over.select_for_update(skip_locked=True, no_key=True, of=("self",))
        rows = list(locked.select_related("decision__case__room").order_by("pk")[:200])
        for row in rows:
            review_changed(row.decision.case)
        if acts := release_all(rows, why="expired"):
            record_all(acts)
    return len(rows)


def release_all(rows: Iterable[Review], why: str = "") -> list[Act]:
    """Release locked claims; `why` names what ended them where it was not the person. Returns entries."""
    acts = []
    for row in rows:
        holder, row.claimed_by, row.claimed_until = row.claimed_by_id, None, None
        row.save(update_fields=["claimed_by", "claimed_until"])
        data: dict[str, object] = {"review": row.pk}
        if why:
            data |= {"from": holder, "why": why}
        acts.append(Act("review_released", row.decision.ledger_subject, None if why else holder, data))
    return acts


def held_reviews(case: Case) -> dict[int, int]:
    """Return who has which open review of a case, by its key."""
    rows = Review.objects.filter(decision__case=case, state=Review.State.OPEN, claimed_by__isnull=False)
    return {pk: holder for pk, holder in rows.values_list("pk", "claimed_by") if holder is not None}


def lock_review(review: Review, case: Case) -> Review:
    """Lock a review of a locked case. Raises unknown_review."""
    rows = _locked(Q(pk=review.pk))
    if not rows or rows[0].decision.case_id != case.pk:
        raise ModerationRefused("unknown_review")
    rows[0].decision.case = case
    return rows[0]


def _locked(which: Q) -> list[Review]:
    rows = Review.objects.select_for_update(no_key=True, of=("self",)).select_related("decision__case__room")
    return list(rows.filter(which).order_by("pk"))
