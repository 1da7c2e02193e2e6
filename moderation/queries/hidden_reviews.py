"""What the page of a case does not show to those who had a part in its decisions while a review of them is open."""

from __future__ import annotations

from django.db.models import Q, QuerySet

from ledger.models import Entry
from moderation.line import entries_of_open_reviews
from moderation.models import Case, Review
from moderation.models.appeals import UNDECIDED
from moderation.queries.access import took_part
from people.models import User

LOOKS = ("evidence_read", "evidence_played")


def hidden_review(case: Case, reader: User) -> Review | None:
    """Return the open review of a case of which this reader must not know: they had a part before it."""
    review = Review.objects.filter(decision__case=case, state__in=UNDECIDED).first()
    if review is None or review.reviewer_id == reader.pk or reader.pk not in took_part(case):
        return None
    return review


def seen_entries(case: Case, reader: User, hidden: Review | None) -> QuerySet[Entry]:
    """Select the entries of a case that its page shows: without the review that is hidden, and without the looks of
    others since it was opened, which tell that there is one and who has it."""
    rows = Entry.objects.filter(subject=case.ledger_subject)
    if hidden is None:
        return rows
    looks = Q(kind__in=LOOKS, at__gte=hidden.opened_at) & ~Q(actor__isnull=False, actor=reader.pk)
    of_reviews = entries_of_open_reviews(reader.pk)
    return rows.exclude(looks | of_reviews if of_reviews else looks)
