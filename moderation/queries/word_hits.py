"""Accuracy of the words of the list: what moderators did with the places where each was found."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from functools import reduce
from operator import or_

from django.core.cache import cache
from django.db.models import Count, Exists, OuterRef, Q
from redis.exceptions import RedisError

from moderation.models import Case, Decision, WordHit
from moderation.queries.access import visible_cases
from moderation.queries.rooms import own_rooms
from people.models import User

LATELY = 60  # seconds


@dataclass(frozen=True)
class Accuracy:
    """Places where a word was found, as long as the copies of their rooms are kept. A dismissed one was no violation,
    and so is one in whose case none stands."""

    hits: int = 0
    opened: int = 0
    dismissed: int = 0
    violations: int = 0
    no_violations: int = 0  # decided in a case

    @property
    def decided(self) -> int:
        return self.violations + self.no_violations + self.dismissed

    @property
    def share(self) -> int | None:
        """Percent of the decided ones that were violations; None where nothing was decided."""
        return round(100 * self.violations / self.decided) if self.decided else None


def accuracies_lately(reader: User) -> dict[int, Accuracy]:
    """Return the accuracy of all words as it was within a minute: for pages that ask every two seconds."""
    key = f"moderation.accuracies:{reader.pk}"
    try:
        known: dict[int, Accuracy] | None = cache.get(key)
        if known is None:
            known = accuracies(reader)
            cache.set(key, known, LATELY)
    except RedisError:
        return accuracies(reader)
    return known


def accuracies(reader: User, words: Collection[int] | None = None) -> dict[int, Accuracy]:
    """Return the accuracy of these words (default: all), by key; one query. Words that were never found are missing.

    Nothing is counted of rooms in which the reader took part; and a case that they may not see counts as if nobody had
    opened it.
    """
    own = reduce(or_, (Q(room__in=rooms) for rooms in own_rooms(reader.pk)))
    rows = WordHit.objects.exclude(own)
    if words is not None:
        rows = rows.filter(word__in=words)
    hidden = ~Exists(visible_cases(reader).filter(pk=OuterRef("case")))
    standing = Decision.objects.filter(case=OuterRef("case"), state=Decision.State.STANDING)
    violation = Exists(standing.filter(outcome=Decision.Outcome.VIOLATION))
    rows = rows.annotate(is_hidden=hidden, is_violation=violation)
    opened = Q(outcome=WordHit.Outcome.CASE, is_hidden=False)
    decided = opened & Q(case__state=Case.State.DECIDED)
    counts = {
        "hits": Count("pk"),
        "opened": Count("pk", filter=opened),
        "dismissed": Count("pk", filter=Q(outcome=WordHit.Outcome.DISMISSED)),
        "violations": Count("pk", filter=decided & Q(is_violation=True)),
        "no_violations": Count("pk", filter=decided & Q(is_violation=False)),
    }
    return {key: Accuracy(*numbers) for key, *numbers in rows.order_by().values_list("word").annotate(**counts)}
