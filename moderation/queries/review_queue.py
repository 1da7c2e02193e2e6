"""The queue of appeals as one person sees it: reviews by the day on which they are due, their number, and those that
nobody of the staff may decide. The number of statements does not grow with the queue."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Exists, OuterRef, Q, QuerySet

from moderation.models import Appeal, OutsideReviewer, Review, Side
from moderation.queries.reviews import assign_facts, no_business_of, visible_reviews
from moderation.rules.appeals import why_not_assign
from people.models import User

A_PAGE = 50
MOST = 1_000  # reviews that are counted
MOST_STRANDED, MOST_OWN = 50, 5
SHOW = ("open", "mine", "second", "decided")
COUNTED = SHOW[:-1]
ORDERS = {"decided": ("-decided_at", "-pk")}


@dataclass(frozen=True)
class ReviewRow:
    """A review in the queue: of who appealed it has sides alone."""

    review: Review
    reader: User
    now: datetime
    concerned: int
    reporters: int
    given: bool  # to an outside reviewer

    @property
    def is_late(self) -> bool:
        return self.review.is_open and self.review.due_at <= self.now

    @property
    def is_taken(self) -> bool:
        return self.review.state == Review.State.OPEN and self.review.holder(self.now) is not None

    @property
    def is_mine(self) -> bool:
        return self.is_taken and self.review.claimed_by_id == self.reader.pk

    @property
    def minutes_left(self) -> int:
        """Minutes of the claim, a begun one counted whole."""
        until = self.review.claimed_until
        return 0 if until is None else max(0, -int((self.now - until).total_seconds() // 60))

    @property
    def is_second(self) -> bool:
        return self.review.state == Review.State.PROPOSED and self.review.reviewer_id != self.reader.pk


def chosen_reviews(user: User, show: str, now: datetime) -> QuerySet[Review]:
    """Select the reviews of a choice that a person may see, in no order."""
    conditions = {
        "mine": Q(claimed_by=user.pk, claimed_until__gt=now, state=Review.State.OPEN)
        | Q(reviewer=user.pk, state=Review.State.PROPOSED),
        "second": Q(state=Review.State.PROPOSED),
        "decided": Q(state=Review.State.DECIDED),
    }
    return visible_reviews(user).filter(conditions.get(show, Q(state=Review.State.OPEN)))


def rows_of(user: User, show: str, page: int, now: datetime) -> tuple[list[ReviewRow], bool]:
    """Return one page of a choice, what is due first first, and whether there are more; two statements."""
    first, last = (page - 1) * A_PAGE, page * A_PAGE + 1
    given = OutsideReviewer.objects.filter(review=OuterRef("pk"), ended_at=None)
    chosen = chosen_reviews(user, show, now).order_by(*ORDERS.get(show, ("due_at", "pk")))
    related = ("decision__case__room", "decision__case__subject", "decision__rule", "claimed_by")
    found: list[Any] = list(chosen.select_related(*related).annotate(given=Exists(given))[first:last])
    sides = Counter(Appeal.objects.filter(review__in=[row.pk for row in found]).values_list("review", "side"))
    rows = [
        ReviewRow(row, user, now, sides[row.pk, Side.CONCERNED], sides[row.pk, Side.REPORTER], row.given)
        for row in found[:A_PAGE]
    ]
    return rows, len(found) > A_PAGE


def review_counts(user: User, now: datetime, shown: tuple[str, ...] = COUNTED) -> dict[str, int]:
    """Count the reviews that a person may see by choice, up to MOST; a statement each."""
    return {show: chosen_reviews(user, show, now).order_by()[:MOST].count() for show in shown}


def late_reviews(user: User, now: datetime) -> int:
    """Count the reviews that should have been decided by now, of those that a person may see."""
    return visible_reviews(user).filter(due_at__lte=now).exclude(state=Review.State.DECIDED).count()


def stranded_reviews(user: User, now: datetime) -> list[Any]:
    """List the open reviews that a person may give to an outside reviewer, or take back from one (`given`), those first
    that are due. Those of cases in which they had a part are asked for one by one: they may where nobody else can."""
    if not user.has_perm("moderation.assign_reviewer"):
        return []
    given = OutsideReviewer.objects.filter(review=OuterRef("pk"), ended_at=None)
    needs = Q(stranded_at__isnull=False) | Q(due_at__lte=now) | Q(Exists(given))
    rows = Review.objects.filter(needs, state=Review.State.OPEN).annotate(given=Exists(given))
    rows = rows.select_related("decision__case").order_by("due_at", "pk")
    own = [row for row in rows.filter(no_business_of(user))[:MOST_OWN] if may_know(row, user)]
    others = list(rows.exclude(no_business_of(user))[:MOST_STRANDED])
    return sorted([*own, *others], key=lambda row: (row.due_at, row.pk))


def may_know(review: Review, user: User) -> bool:
    """Whether somebody who gives reviews to outside reviewers may know of this one."""
    return why_not_assign(assign_facts(review, user)) not in ("not_allowed", "unknown_review")
