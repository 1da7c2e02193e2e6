"""Follow and unfollow. Doing either twice is the same as doing it once."""

from core.throttle import Limit
from people.actions.standing import standing_changed
from people.models import User
from people.refusals import PeopleRefused
from social.models import Follow

FOLLOWS = Limit("follow", per_minute=30, burst=60, refused=PeopleRefused)


def follow(follower: User, followed: User) -> bool:
    """Follow a person. Returns whether this is new. Refuses oneself, closed accounts and more than 30 a minute."""
    if follower.pk == followed.pk:
        raise PeopleRefused("not_oneself")
    if not followed.is_active:
        raise PeopleRefused("unknown_person")
    FOLLOWS.check(str(follower.pk))
    # Race of two clicks: the unique constraint lets one insert succeed, and get_or_create finds it for the other.
    _row, created = Follow.objects.get_or_create(follower=follower, followed=followed)
    return created


def unfollow(follower: User, followed: User) -> bool:
    """Stop following a person. Returns whether there was something to undo."""
    FOLLOWS.check(str(follower.pk))
    deleted, _by_model = Follow.objects.filter(follower=follower, followed=followed).delete()
    if deleted:
        standing_changed(follower, "unfollowed")  # the follower may be in a room for followers
    return deleted > 0
