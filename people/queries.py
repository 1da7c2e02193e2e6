"""Questions about people that several places ask."""

from collections.abc import Iterable
from dataclasses import dataclass

from django.contrib.auth.models import AnonymousUser
from django.db.models import Q, QuerySet
from django.db.models.functions import Lower

from people.live import LiveLink, live_link
from people.models import Creator, Follow, User


def person(handle: str) -> User | None:
    """The open account with this handle; capitals do not matter."""
    return User.objects.filter(handle__iexact=handle, is_active=True).first()


def follows(follower_pk: int, followed_pk: int) -> bool:
    return Follow.objects.filter(follower_id=follower_pk, followed_id=followed_pk).exists()


def followed_ids(follower_pk: int) -> set[int]:
    """Whom this person follows."""
    return set(Follow.objects.filter(follower_id=follower_pk).values_list("followed_id", flat=True))


@dataclass(frozen=True)
class Shown:
    """A person as a certain reader sees them: numbers, who follows whom, where they are live."""

    followers: int
    following: int
    followed_by_you: bool
    follows_you: bool
    is_you: bool
    link: LiveLink | None

    @property
    def live(self) -> str:
        return self.link.url if self.link else ""


def shown_to(user: User, reader: User | AnonymousUser) -> Shown:
    """Closed accounts do not count."""
    signed_in = reader.pk is not None
    return Shown(
        followers=Follow.objects.filter(followed=user, follower__is_active=True).count(),
        following=Follow.objects.filter(follower=user, followed__is_active=True).count(),
        followed_by_you=signed_in and follows(reader.pk, user.pk),
        follows_you=signed_in and follows(user.pk, reader.pk),
        is_you=reader.pk == user.pk,
        link=live_link(user),
    )


def waiting() -> QuerySet[Creator]:
    """Those who asked to join the creator group, in the order in which they will be let in."""
    return Creator.objects.filter(added_at=None, user__is_active=True).order_by("asked_at", "pk")


@dataclass(frozen=True)
class Place:
    """Number `number` of `of` people who asked."""

    number: int
    of: int


def place_in_queue(creator: Creator) -> Place:
    """Where this person stands; asked for one who waits."""
    ahead = Q(asked_at__lt=creator.asked_at) | Q(asked_at=creator.asked_at, pk__lt=creator.pk)
    return Place(waiting().filter(ahead).count() + 1, max(1, waiting().count()))


def by_handles_or_emails(words: Iterable[str]) -> tuple[list[User], list[str]]:
    """(people found, words nobody answers to); each person once, in the order of the words. Two queries at most."""
    asked = list(dict.fromkeys(word.strip().lstrip("@").lower() for word in words if word.strip().lstrip("@")))
    people = User.objects.annotate(low_handle=Lower("handle"), low_email=Lower("email")).filter(
        Q(low_handle__in=asked) | Q(low_email__in=[word for word in asked if "@" in word]), is_active=True
    )
    found = {key: someone for someone in people for key in (someone.handle.lower(), someone.email.lower())}
    missing = [word for word in asked if word not in found]
    return list(dict.fromkeys(found[word] for word in asked if word in found)), missing
