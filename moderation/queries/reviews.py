"""Reviews that a member of staff, or an outside reviewer, may see, and the facts on which acts in one depend.

Nobody who had a part in a decision of the case, or in an earlier review of one, learns of a review; nor do parties.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from django.db.models import Exists, OuterRef, Q, QuerySet, Value
from django.db.models.functions import Coalesce
from django.utils import timezone

from moderation.actions.joining import with_right
from moderation.models import Case, CaseParty, Decision, OutsideReviewer, Review
from moderation.queries.access import has_looked, is_party, rights_of
from moderation.refusals import ModerationRefused
from moderation.rules.access import sees_ordinary
from moderation.rules.appeals import (
    AssignFacts,
    ReviewFacts,
    ReviewRights,
    why_not_assign,
    why_not_review_see,
)
from people.models import Sanction, User
from rooms.models import Seat

__all__ = ["assign_facts", "eligible_reviewers", "review_facts", "visible_review", "visible_reviews"]


def review_rights(user: User) -> ReviewRights:
    """Return what a person may do with reviews, as granted now."""
    return ReviewRights(
        rights_of(user),
        review=user.has_perm("moderation.review_appeal"),
        assign=user.has_perm("moderation.assign_reviewer"),
        assigned=user.has_perm("moderation.review_assigned"),
    )


def visible_reviews(user: User) -> QuerySet[Review]:
    """Select the reviews that a person may see: none of cases in which they are a party or had a part."""
    rights = review_rights(user)
    allowed = Q()
    if rights.assigned:
        given = OutsideReviewer.objects.filter(review=OuterRef("pk"), user=user.pk, ended_at=None)
        allowed |= Q(Exists(given))
    if rights.review and rights.cases.view:
        if rights.cases.child_safety:
            allowed |= Q(decision__case__child_safety=True)
        if sees_ordinary(rights.cases):
            ordinary = Q(decision__case__child_safety=False)
            allowed |= ordinary if rights.cases.senior else ordinary & Q(decision__case__for_seniors=False)
    if not allowed:
        return Review.objects.none()
    return Review.objects.filter(allowed).exclude(no_business_of(user))


def no_business_of(user: User) -> Q:
    """The condition on reviews that a person is a party of the case, or had a part in another decision or review of
    it: never to be shown to them, whatever their rights."""
    parties = CaseParty.objects.filter(user=user.pk).values("case")
    seats = Seat.objects.filter(user=user.pk).values("room")
    own = OuterRef("decision__case")
    new = Coalesce(OuterRef("replacement"), Value(0))
    decided = Decision.objects.filter(Q(by=user.pk) | Q(second_by=user.pk), case=own).exclude(pk=new)
    reviewed = Review.objects.filter(decision__case=own, reviewer=user.pk).exclude(pk=OuterRef("pk"))
    return Q(decision__case__in=parties) | Q(decision__case__room__in=seats) | Q(Exists(decided)) | Q(Exists(reviewed))


def visible_review(user: User, pk: int) -> Review:
    """Get a review that a person may see. Raises unknown_review."""
    rows = visible_reviews(user).select_related("decision__case__room", "decision__rule", "claimed_by", "reviewer")
    review = rows.filter(pk=pk).first()
    if review is None:
        raise ModerationRefused("unknown_review")
    return review


def case_of_review(user: User, pk: int) -> Case:
    """Get a case whose evidence somebody sees by a review of it that they may see. Raises unknown_case."""
    if not visible_reviews(user).filter(decision__case=pk).exists():
        raise ModerationRefused("unknown_case")
    return Case.objects.select_related("room", "subject").get(pk=pk)


def took_part_before(review: Review) -> set[int]:
    """Keys of those who had a part in a decision of the case, or in a review of one, but for this review's own."""
    found: set[int | None] = set()
    decisions = Decision.objects.filter(case=review.decision.case_id).exclude(pk=review.replacement_id or 0)
    for sides in decisions.values_list("by", "second_by"):
        found.update(sides)
    others = Review.objects.filter(decision__case=review.decision.case_id).exclude(pk=review.pk)
    found.update(others.values_list("reviewer", flat=True))
    return {pk for pk in found if pk is not None}


def review_facts(review: Review, user: User) -> ReviewFacts:
    """Load the facts of a review for one person."""
    case, now = review.decision.case, timezone.now()
    holder = review.holder(now)
    facts = ReviewFacts(
        review_rights(user),
        party=is_party(case, user.pk),
        took_part=user.pk in took_part_before(review),
        given=OutsideReviewer.objects.filter(review=review, user=user, ended_at=None).exists(),
        child_safety=case.child_safety,
        for_seniors=case.for_seniors,
        state=review.state,
        mine=holder == user.pk,
        taken=holder is not None,
    )
    if why_not_review_see(facts):
        return facts
    values = {name: getattr(facts, name) for name in ReviewFacts.__slots__}
    return ReviewFacts(**{**values, "looked": has_looked(case, user)})


# --- who may review, and who may give it to another -----------------------------------------------------------------


def eligible_reviewers(review: Review) -> QuerySet[User]:
    """Select the staff who may decide a review; nobody means that it needs an outside reviewer. One that was given to
    an outside reviewer is still theirs to take."""
    case = review.decision.case
    wanted = ["review_appeal", "view_case"]
    if case.child_safety:
        wanted.append("child_safety_case")
    elif case.for_seniors:
        wanted.append("senior_case")
    rows = _open_accounts(case, took_part_before(review))
    for codename in wanted:
        rows = rows.filter(pk__in=_holders(codename))
    if not case.child_safety:  # the child-safety role alone sees no other cases
        alone = Q(pk__in=_holders("child_safety_case"))
        more = Q(pk__in=_holders("ordinary_case")) | Q(pk__in=_holders("senior_case"))
        rows = rows.filter(~alone | more)
    return rows.order_by("pk")


def assigners(review: Review, but: Collection[int] = ()) -> QuerySet[User]:
    """Select who may give a review to an outside reviewer, without a part in its case: those whom it is told."""
    rows = _open_accounts(review.decision.case, took_part_before(review)).exclude(pk__in=but)
    return rows.filter(pk__in=_holders("assign_reviewer")).order_by("pk")


def assign_facts(review: Review, user: User) -> AssignFacts:
    """Load the facts on which it depends whether somebody may give a review to an outside reviewer."""
    now, assign = timezone.now(), user.has_perm("moderation.assign_reviewer")
    took_part = user.pk in took_part_before(review)
    return AssignFacts(
        assign=assign,
        party=is_party(review.decision.case, user.pk),
        took_part=took_part,
        only_one=took_part and not assigners(review, [user.pk]).exists(),
        state=review.state,
        stranded=not eligible_reviewers(review).exists(),
        overdue=review.due_at <= now,
        taken=review.holder(now) is not None,
        given=OutsideReviewer.objects.filter(review=review, ended_at=None).exists(),
    )


def assignable_reviews(user: User, now: datetime) -> list[Review]:
    """List the open reviews that a person may give to an outside reviewer now, those first that are due."""
    if not user.has_perm("moderation.assign_reviewer"):
        return []
    waiting = Review.objects.filter(Q(stranded_at__isnull=False) | Q(due_at__lte=now), state=Review.State.OPEN)
    rows = waiting.select_related("decision__case__room").order_by("due_at", "pk")
    return [row for row in rows[:200] if why_not_assign(assign_facts(row, user)) is None]


def possible_outside(review: Review) -> QuerySet[User]:
    """Select the accounts of outside reviewers who may be given a review."""
    rows = _open_accounts(review.decision.case, took_part_before(review))
    given = User.objects.filter(with_right("review_assigned")).values("pk")
    return rows.filter(pk__in=given).order_by("display_name", "pk")


def _open_accounts(case: Case, but: Collection[int]) -> QuerySet[User]:
    parties = CaseParty.objects.filter(case=case).values("user")
    rows = User.objects.filter(is_active=True).exclude(Q(pk__in=but) | Q(pk__in=parties))
    suspended = Sanction.objects.in_force().filter(user=OuterRef("pk"), kind=Sanction.Kind.SUSPENDED)
    rows = rows.filter(~Exists(suspended))
    return rows.exclude(pk__in=Seat.objects.filter(room=case.room_id).values("user")) if case.room_id else rows


def _holders(codename: str) -> QuerySet[User, int]:
    return User.objects.filter(with_right(codename) | Q(is_superuser=True)).values_list("pk", flat=True)
