"""Changes that follow from the deletion of an account to follows, blocks and messages."""

from __future__ import annotations

from django.db.models import Q

from ledger.actions import Act
from people.hooks import Former
from people.models import User
from social.actions.threads import clear_thread
from social.models import Block, Follow, Message, Thread


def end_relations(former: Former) -> list[Act]:
    """Delete the account's follows, both ways, its blocks and its side of every conversation. What others received
    stays with them, as after "delete thread"; blocks of it stay, and do nothing. Records nothing."""
    forget_relations(former.pk)
    return []


def forget_relations(user_pk: int) -> None:
    """Do what `end_relations` does; idempotent, also for what a request under way wrote meanwhile."""
    Follow.objects.filter(Q(follower=user_pk) | Q(followed=user_pk)).delete()
    Block.objects.filter(blocker=user_pk).delete()
    # What is on its way to the account never arrives; it stays with its sender, who sees no difference.
    Message.objects.filter(receiver=user_pk, delivered_at=None, withheld=False).update(withheld=True)
    user = User.objects.get(pk=user_pk)
    threads = Thread.objects.filter(Q(low=user_pk) | Q(high=user_pk)).order_by("pk")
    for thread in threads:
        clear_thread(user, thread)
