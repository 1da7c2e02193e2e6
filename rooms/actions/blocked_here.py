"""Notice to people in a room that somebody whom they blocked is on its stage."""

from __future__ import annotations

import logging
from collections.abc import Collection

from redis.exceptions import RedisError

from core.after_commit import after_commit
from people.models import User
from rooms import presence
from rooms.models import Room
from rooms.wire.sides import tell
from social.models import Block

log = logging.getLogger(__name__)


def tell_blockers(room: Room, user: User) -> None:
    """Tell people in the room who blocked this person, after the commit. Nobody else learns of it."""
    after_commit(_tell_blockers, room, user)


def _tell_blockers(room: Room, user: User) -> None:
    tell_present(room, user, Block.objects.filter(blocked=user).values_list("blocker_id", flat=True))


def tell_present(room: Room, user: User, blockers: Collection[int]) -> None:
    """Tell those of `blockers` (accounts) who are connected to the room that `user` is on its stage."""
    pks = list(blockers)
    try:
        here = presence.look(room.pk, [presence.user_key(pk) for pk in pks])[1] if pks else []
    except RedisError as error:
        log.warning("who is here is not known, Redis is away: %s", error)
        return
    for pk, is_here in zip(pks, here, strict=True):
        if is_here:
            tell(pk, {"type": "blocked_here", "room": room.slug, "user": user.handle})
