"""Queries about follows, blocks and unread messages."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from django.db.models import Count, QuerySet
from django.http import HttpRequest

from people.hooks import LiveLink, live_link
from people.models import User
from social.models import Block, Follow, Message

MOST_BLOCKS = 1000  # listed at once, the newest first


def follows(follower_pk: int, followed_pk: int) -> bool:
    return Follow.objects.filter(follower_id=follower_pk, followed_id=followed_pk).exists()


def seems_to_follow(follower_pk: int, followed_pk: int) -> bool:
    """Whether a person follows another, as far as they know: a follow that a block ended still stands for them."""
    hidden = Block.objects.filter(blocker=followed_pk, blocked=follower_pk, undid_follow=True)
    return follows(follower_pk, followed_pk) or hidden.exists()


def seeming_followers(me: int, among: Collection[int] | None = None) -> QuerySet[Any, Any]:
    """Primary keys of a person's followers, as far as that person knows: a follow that a follower's block ended still
    stands (`Block.undid_own_follow`). `among` limits them to these accounts. One query."""
    rows, hidden = Follow.objects.filter(followed=me), Block.objects.filter(blocked=me, undid_own_follow=True)
    if among is not None:
        rows, hidden = rows.filter(follower__in=among), hidden.filter(blocker__in=among)
    return rows.order_by().values_list("follower", flat=True).union(hidden.order_by().values_list("blocker", flat=True))


def seeming_followed(me: int, among: Collection[int] | None = None) -> QuerySet[Any, Any]:
    """Primary keys of the people whom a person follows, as `seeming_followers` (`Block.undid_follow`)."""
    rows, hidden = Follow.objects.filter(follower=me), Block.objects.filter(blocked=me, undid_follow=True)
    if among is not None:
        rows, hidden = rows.filter(followed__in=among), hidden.filter(blocker__in=among)
    return rows.order_by().values_list("followed", flat=True).union(hidden.order_by().values_list("blocker", flat=True))


@dataclass(frozen=True)
class ShownPerson:
    """A person as one reader sees them: numbers, follows between the two, and the room where they are live."""

    followers: int
    following: int
    followed_by_you: bool
    follows_you: bool
    is_you: bool
    blocked_by_you: bool
    link: LiveLink | None

    @property
    def live(self) -> str:
        return self.link.url if self.link else ""


def shown_to(user: User, request: HttpRequest) -> ShownPerson:
    """Load a person as the reader who sends this request sees them. Closed accounts do not count.

    To a reader whom others blocked, follows that a block ended still stand, either way (`Block.undid_follow`,
    `undid_own_follow`): between them and this person, and on their own page those of everybody.
    """
    you = request.user.pk
    blocks = Block.objects.filter(blocked=you) if you is not None else Block.objects.none()
    by_this_person = blocks.filter(blocker=user).first()
    followed = by_this_person is not None and by_this_person.undid_follow
    following = by_this_person is not None and by_this_person.undid_own_follow
    hidden = {"followers": int(followed), "following": int(following)}
    if you == user.pk:
        of_open = blocks.filter(blocker__is_active=True)
        hidden["followers"] = of_open.filter(undid_own_follow=True).count()
        hidden["following"] = of_open.filter(undid_follow=True).count()
    return ShownPerson(
        followers=Follow.objects.filter(followed=user, follower__is_active=True).count() + hidden["followers"],
        following=Follow.objects.filter(follower=user, followed__is_active=True).count() + hidden["following"],
        followed_by_you=(you is not None and follows(you, user.pk)) or followed,
        follows_you=(you is not None and follows(user.pk, you)) or following,
        is_you=you == user.pk,
        blocked_by_you=you is not None and Block.objects.filter(blocker=you, blocked=user).exists(),
        link=live_link(user, request),
    )


def blocks_of(user: User) -> list[Block]:
    """The blocks that a person made, the newest first, at most MOST_BLOCKS; of deleted accounts they do nothing."""
    rows = Block.objects.filter(blocker=user, blocked__deleted_at=None).select_related("blocked")
    return list(rows.order_by("-since", "-pk")[:MOST_BLOCKS])


def unread_of_many(users: Collection[int]) -> dict[int, int]:
    """Number of unread messages by person, of those who have any; one query."""
    rows = Message.objects.unread_by(users).order_by().values_list("receiver_id")
    return dict(rows.annotate(messages=Count("pk")))
