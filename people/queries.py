"""Questions about people that several places ask."""

from collections.abc import Iterable
from dataclasses import dataclass

from allauth.account.models import EmailAddress
from django.contrib.auth.models import AnonymousUser
from django.db.models import Q, QuerySet
from django.db.models.functions import Lower

from people.handles import read_handle
from people.live import LiveLink, live_link
from people.models import Creator, Follow, User


def person(handle: str) -> User | None:
    """The open account with this handle; capitals do not matter."""
    return User.objects.filter(handle__iexact=handle, is_active=True, signing_up=False).first()


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
    you = reader.pk
    return Shown(
        followers=Follow.objects.filter(followed=user, follower__is_active=True).count(),
        following=Follow.objects.filter(follower=user, followed__is_active=True).count(),
        followed_by_you=you is not None and follows(you, user.pk),
        follows_you=you is not None and follows(user.pk, you),
        is_you=you == user.pk,
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


@dataclass(frozen=True)
class Named:
    """A list of handles and e-mail addresses, read. Each person once, in the order of the list."""

    people: list[User]
    missing: list[str]
    unconfirmed: list[str]


def by_handles_or_emails(words: Iterable[str]) -> Named:
    """Whom a list names. Two queries, however long it is.

    An address counts where its owner confirmed it: anybody can sign up with somebody else's.
    """
    asked = list(dict.fromkeys((read_handle(word) or word.strip()).lower() for word in words if word.strip(" @")))
    addresses = [word for word in asked if "@" in word]
    people = User.objects.annotate(low=Lower("handle")).filter(
        Q(low__in=asked) | Q(email__in=addresses), is_active=True, signing_up=False
    )
    confirmed = set(EmailAddress.objects.filter(email__in=addresses, verified=True).values_list("user_id", "email"))
    found = {}
    for someone in people:
        found[someone.handle.lower()] = someone
        if (someone.pk, someone.email) in confirmed:
            found[someone.email] = someone
    known = {someone.email for someone in people}
    return Named(
        people=list(dict.fromkeys(found[word] for word in asked if word in found)),
        missing=[word for word in asked if word not in found and word not in known],
        unconfirmed=[word for word in asked if word not in found and word in known],
    )
