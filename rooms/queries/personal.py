"""Parts of a snapshot that only one reader gets: removals for host and co-hosts, one's own blocks on stage."""

from __future__ import annotations

from people.models import User
from rooms.hooks import personal_parts
from rooms.models import Removal, Room
from rooms.rules import permissions
from rooms.rules.permissions import Facts
from social.models import Block
from social.queries import unread_of_many


@personal_parts.register("removed")
def removed_people(room: Room, user: User, facts: Facts) -> list[str]:
    """Handles of the people who are removed from a room, for its host and co-hosts; empty for anybody else."""
    if facts.role not in permissions.HELPERS:
        return []
    removals = Removal.objects.filter(room=room, undone_at=None, listed=True).order_by("at", "pk")
    return list(removals.values_list("user__handle", flat=True))


@personal_parts.register("blocked_on_stage")
def blocked_on_stage(room: Room, user: User, facts: Facts) -> list[str]:
    """Handles of people on stage whom the reader blocked: a page asks before it plays their sound."""
    if not facts.blocks_on_stage:
        return []
    blocks = Block.objects.filter(blocker=user, blocked__seats__room=room, blocked__seats__left_at=None)
    return list(blocks.order_by("blocked__handle").values_list("blocked__handle", flat=True))


@personal_parts.register("unread")
def unread(room: Room, user: User, facts: Facts) -> int:
    """How many messages the reader has not read; the room's socket tells them of changes, as `/ws/me/` elsewhere."""
    if not facts.has_unread:
        return 0
    return unread_of_many([user.pk]).get(user.pk, 0)
