"""The queue of the creator group."""

from __future__ import annotations

from dataclasses import dataclass

from django.db.models import Q, QuerySet

from people.models import Creator


def waiting() -> QuerySet[Creator]:
    """Those who asked to join the creator group, in the order in which they will be let in."""
    return Creator.objects.filter(added_at=None, user__is_active=True).order_by("asked_at", "pk")


@dataclass(frozen=True)
class Place:
    """Number `number` of `of` people who asked."""

    number: int
    of: int


def place_in_queue(creator: Creator) -> Place:
    """Where this person stands; asked for one who waits."""
    ahead = Q(asked_at__lt=creator.asked_at) | Q(asked_at=creator.asked_at, pk__lt=creator.pk)
    return Place(waiting().filter(ahead).count() + 1, max(1, waiting().count()))
