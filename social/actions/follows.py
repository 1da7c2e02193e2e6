"""Follow and unfollow. Doing either twice is the same as doing it once.

A person who was blocked is answered as if there were no block: nothing is stored but what they believe, in the block's
row (`undid_follow`).
"""

from django.db import transaction

from core.throttle import Limit
from people.actions.standing import standing_changed
from people.models import User
from people.refusals import PeopleRefused
from people.standing import lock_standing
from social.models import Block, Follow

FOLLOWS = Limit("follow", per_minute=30, burst=60, refused=PeopleRefused)


def follow(follower: User, followed: User) -> bool:
    """Follow a person. Returns whether this is new. Refuses oneself, closed accounts, people whom one blocked, and more
    than 30 a minute."""
    if follower.pk == followed.pk:
        raise PeopleRefused("not_oneself")
    if not followed.is_active:
        raise PeopleRefused("unknown_person")
    FOLLOWS.check(str(follower.pk))
    with transaction.atomic():
        lock_standing(follower.pk)  # a block locks both accounts: it comes before this or ends the follow
        if Block.objects.filter(blocker=follower, blocked=followed).exists():
            raise PeopleRefused("you_blocked_person")
        if (hidden := _hidden_follow(follower, followed)) is not None:
            return _believe(hidden, True)
        _row, created = Follow.objects.get_or_create(follower=follower, followed=followed)
    return created


def unfollow(follower: User, followed: User) -> bool:
    """Stop following a person. Returns whether there was something to undo."""
    FOLLOWS.check(str(follower.pk))
    with transaction.atomic():
        lock_standing(follower.pk)
        if (hidden := _hidden_follow(follower, followed)) is not None:
            return _believe(hidden, False)
        deleted, _by_model = Follow.objects.filter(follower=follower, followed=followed).delete()
        if deleted:
            standing_changed(follower, "unfollowed")  # the follower may be in a room for followers
    return deleted > 0


def _hidden_follow(follower: User, followed: User) -> Block | None:
    """The block that stands in the way of a follow, if there is one."""
    return Block.objects.filter(blocker=followed, blocked=follower).first()


def _believe(block: Block, follows: bool) -> bool:
    """Remember whether a blocked person believes to follow. Returns whether that changed."""
    if block.undid_follow == follows:
        return False
    block.undid_follow = follows
    block.save(update_fields=["undid_follow"])
    return True
