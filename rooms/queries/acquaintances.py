"""The reason of rooms for which a person may write to another: an invitation that was followed."""

from __future__ import annotations

from collections.abc import Sequence

from django.db.models import Q

from rooms.models import Invitation


def known_to(sender: int, receivers: Sequence[int]) -> set[int]:
    """Those of the receivers whom the sender invited to a room that they came to, or where they agreed to speak; one
    query."""
    followed = Q(state=Invitation.State.ACCEPTED) | Q(came_at__isnull=False)
    rows = Invitation.objects.filter(followed, by=sender, user__in=receivers).order_by()
    return set(rows.values_list("user_id", flat=True))
