"""The queue as a member of staff left it."""

from __future__ import annotations

from moderation.models import QueueChoice
from people.models import User


def remember_choice(by: User, query: str) -> None:
    """Remember the filters that a person chose last; one statement, so that two pages at once do not collide."""
    row = QueueChoice(user=by, query=query)
    QueueChoice.objects.bulk_create([row], update_conflicts=True, unique_fields=["user"], update_fields=["query"])
