"""The queue of the creator group."""

from __future__ import annotations

from dataclasses import dataclass

from django.db.models import Q, QuerySet

from people.models import Creator


def waiting() -> QuerySet[Creator]:
    """Select those who asked to join, in the order in which they will be added."""
    return Creator.objects.filter(added_at=None, user__is_active=True).order_by("asked_at", "pk")


@dataclass(frozen=True)
class QueuePlace:
    """A place in the queue: number `number` of `of` people."""

    number: int
    of: int


def place_in_queue(creator: Creator) -> QueuePlace:
    """Return the place of a person who waits in the queue."""
    ahead = Q(asked_at__lt=creator.asked_at) | Q(asked_at=creator.asked_at, pk__lt=creator.pk)
    return QueuePlace(waiting().filter(ahead).count() + 1, max(1, waiting().count()))
