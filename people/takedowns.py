"""Whether moderators removed an account's picture, or its name and text."""

from __future__ import annotations

from people.models import ProfileTakedown, User


def taken_down(user: User) -> frozenset[str]:
    """The kinds of takedowns (`ProfileTakedown.Kind`) of an account that are not lifted; one query."""
    rows = ProfileTakedown.objects.filter(user=user, lifted_at=None)
    return frozenset(rows.order_by().values_list("kind", flat=True).distinct())
