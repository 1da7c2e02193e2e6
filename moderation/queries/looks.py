"""Looks at evidence, once per person, case, range and ten minutes; and the lines that somebody opened."""

from __future__ import annotations

from datetime import timedelta

from django.utils import timezone

from moderation.models import Case, Look
from people.models import User

AGAIN = timedelta(minutes=10)


def looked_lately(case: Case, by: User, what: str, from_ms: int | None = None, to_ms: int | None = None) -> bool:
    """Whether a person looked at this, or at a range around it, in the last ten minutes."""
    looks = Look.objects.filter(case=case, user=by, what=what, at__gt=timezone.now() - AGAIN)
    if from_ms is not None:
        looks = looks.filter(from_ms__lte=from_ms, to_ms__gte=to_ms)
    return looks.exists()


def may_read_lines(case: Case, by: User, from_ms: int, to_ms: int) -> bool:
    """Whether a person opened the lines of this range, however long ago."""
    looks = Look.objects.filter(case=case, user=by, what=Look.What.LINES)
    return looks.filter(from_ms__lte=from_ms, to_ms__gte=to_ms).exists()
