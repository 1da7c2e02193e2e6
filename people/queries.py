"""Questions about people that several places ask."""

from collections.abc import Iterable
from dataclasses import dataclass

from django.db.models import Q, QuerySet
from django.db.models.functions import Lower

from people.models import Creator, Follow, User


def person(handle: str) -> User | None:
    """The open account with this handle; capitals do not matter."""
    return User.objects.filter(handle__iexact=handle, is_active=True).first()


def follows(follower_pk: int, followed_pk: int) -> bool:
    return Follow.objects.filter(follower_id=follower_pk, followed_id=followed_pk).exists()


def followed_ids(follower_pk: int) -> set[int]:
    """Whom this person follows."""
    return set(Follow.objects.filter(follower_id=follower_pk).values_list("followed_id", flat=True))


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
