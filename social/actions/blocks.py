"""Block and unblock people. Doing either twice is the same as doing it once."""

from __future__ import annotations

import logging
from datetime import datetime, timedelta

from django.db import transaction

from core.after_commit import after_commit
from core.batches import run_each
from core.throttle import Limit
from people.models import User
from people.refusals import PeopleRefused
from social import signals
from social.models import Block, Follow

log = logging.getLogger(__name__)

SETTLED_WITHIN = timedelta(seconds=5)  # then the reaction to a block is taken for lost
BLOCKS = Limit("block", per_minute=30, burst=60, refused=PeopleRefused)


def block(blocker: User, blocked: User) -> bool:
    """Block a person: both follows end, and rooms react after the commit. Returns whether this is new.

    Refuses oneself, closed accounts and more than 30 a minute. The blocked person is not told.
    """
    if blocker.pk == blocked.pk:
        raise PeopleRefused("not_block_oneself")
    if not blocked.is_active:
        raise PeopleRefused("unknown_person")
    BLOCKS.check(str(blocker.pk))
    with transaction.atomic():
        _lock(blocker, blocked)
        followed = Follow.objects.filter(follower=blocked, followed=blocker)
        following = Follow.objects.filter(follower=blocker, followed=blocked)
        undone = {"undid_follow": followed.exists(), "undid_own_follow": following.exists()}
        _row, created = Block.objects.get_or_create(blocker=blocker, blocked=blocked, defaults=undone)
        if created:
            followed.delete()
            following.delete()
            after_commit(_send, blocker, blocked)
    return created


def unblock(blocker: User, blocked: User) -> bool:
    """Undo a block; follows and invitations do not come back, and a removal stays. Returns whether there was one."""
    BLOCKS.check(str(blocker.pk))
    deleted, _by_model = Block.objects.filter(blocker=blocker, blocked=blocked).delete()
    return deleted > 0


def _lock(*people: User) -> None:
    """Lock accounts in the order of their keys. Taking a seat and following lock the person who does it, so that
    neither can be checked before the block and done after it."""
    pks = [person.pk for person in people]
    list(User.objects.select_for_update(no_key=True).filter(pk__in=pks).order_by("pk").values_list("pk"))


def settle_left(now: datetime) -> int:
    """Have rooms react to the blocks to which they did not, or not wholly: the process died after the commit, or a
    receiver failed. Returns how many were tried again. Safe to run beside `block`."""
    left = Block.objects.filter(settled=False, since__lt=now - SETTLED_WITHIN).select_related("blocker", "blocked")
    return run_each(list(left), lambda row: _send(row.blocker, row.blocked), "the reaction to a block")


def _send(blocker: User, blocked: User) -> None:
    """Have the apps above react to a block, and note it as settled where none failed."""
    answers = signals.blocked.send_robust(None, blocker=blocker, blocked=blocked)
    failed = [(receiver, error) for receiver, error in answers if isinstance(error, Exception)]
    for receiver, error in failed:
        log.error("%s did not take a block of %s", receiver, blocked.pk, exc_info=error)
    if not failed:
        Block.objects.filter(blocker=blocker, blocked=blocked).update(settled=True)
