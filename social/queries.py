"""Queries about follows."""

from __future__ import annotations

from dataclasses import dataclass

from django.contrib.auth.models import AnonymousUser

from people.hooks import LiveLink, live_link
from people.models import User
from social.models import Follow


def follows(follower_pk: int, followed_pk: int) -> bool:
    return Follow.objects.filter(follower_id=follower_pk, followed_id=followed_pk).exists()


@dataclass(frozen=True)
class ShownPerson:
    """A person as one reader sees them: numbers, follows between the two, and the room where they are live."""

    followers: int
    following: int
    followed_by_you: bool
    follows_you: bool
    is_you: bool
    link: LiveLink | None

    @property
    def live(self) -> str:
        return self.link.url if self.link else ""


def shown_to(user: User, reader: User | AnonymousUser) -> ShownPerson:
    """Load a person as `reader` sees them. Closed accounts do not count."""
    you = reader.pk
    return ShownPerson(
        followers=Follow.objects.filter(followed=user, follower__is_active=True).count(),
        following=Follow.objects.filter(follower=user, followed__is_active=True).count(),
        followed_by_you=you is not None and follows(you, user.pk),
        follows_you=you is not None and follows(user.pk, you),
        is_you=you == user.pk,
        link=live_link(user),
    )
