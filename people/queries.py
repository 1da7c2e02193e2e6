"""Queries about people."""

from collections.abc import Iterable
from dataclasses import dataclass

from allauth.account.models import EmailAddress
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.db.models.functions import Lower
from django.utils import timezone

from people.deleted import mac_of
from people.models import DeletedAccount, Fingerprint, Sanction, User
from people.spelling import plain_login


def person(handle: str) -> User | None:
    """Find the open account with this handle; capitals do not matter."""
    return User.objects.by_handle(handle, is_active=True, signing_up=False)


def by_handles(handles: Iterable[str]) -> dict[str, User]:
    """Find open accounts by handle, in one query; the result has the handles in lower case."""
    wanted = {handle.lower() for handle in handles}
    found = User.objects.annotate(low_handle=Lower("handle")).filter(low_handle__in=wanted)
    return {user.handle.lower(): user for user in found.filter(is_active=True, signing_up=False)}


@dataclass(frozen=True)
class ParsedList:
    """A parsed list of handles and e-mail addresses. Each person once, in the order of the list."""

    people: list[User]
    missing: list[str]
    unconfirmed: list[str]


def by_handles_or_emails(words: Iterable[str]) -> ParsedList:
    """Find the people on a list, in two queries however long it is.

    An address only counts where its owner confirmed it: anybody can sign up with somebody else's.
    """
    asked = list(dict.fromkeys(plain_login(word) for word in words if word.strip(" @")))
    addresses = [word for word in asked if "@" in word]
    has_address = Q(low_email__in=addresses) & ~Q(email="")
    people = User.objects.annotate(low=Lower("handle"), low_email=Lower("email")).filter(
        Q(low__in=asked) | has_address, is_active=True, signing_up=False
    )
    confirmed = set(EmailAddress.objects.filter(email__in=addresses, verified=True).values_list("user_id", "email"))
    found = {}
    for someone in people:
        found[someone.handle.lower()] = someone
        if (someone.pk, someone.email) in confirmed:
            found[someone.email] = someone
    known = {someone.email for someone in people}
    return ParsedList(
        people=list(dict.fromkeys(found[word] for word in asked if word in found)),
        missing=[word for word in asked if word not in found and word not in known],
        unconfirmed=[word for word in asked if word not in found and word in known],
    )


@dataclass(frozen=True)
class Reached:
    """Where a person is told what concerns them, and in which language."""

    email: str
    language: str


def reached(user: User) -> Reached:
    """The address and language of an account; of a deleted one those that are kept so that it can be told of a case.
    The address is empty where there is none."""
    kept = DeletedAccount.objects.filter(user=user).first() if user.deleted_at is not None else None
    return Reached(user.email, user.language) if kept is None else Reached(kept.email, kept.language)


def address_to_tell(user: User) -> str:
    """The address for mails about a decision, also of a deleted account as long as it may be told; else ""."""
    return reached(user).email


def is_held_handle(handle: str) -> bool:
    """Whether a handle was of a deleted account lately, or of one that is suspended, so that nobody else gets it."""
    rows = _fingerprints("handle", handle)
    return rows.filter(Q(until__gt=timezone.now()) | Q(_suspended())).exists()


def is_banned_address(email: str) -> bool:
    """Whether an address was of a deleted account whose suspension is not over."""
    return _fingerprints("address", email).filter(_suspended()).exists()


def _fingerprints(kind: str, text: str) -> QuerySet[Fingerprint]:
    return Fingerprint.objects.filter(kind=kind, mac=mac_of(kind, text))


def _suspended() -> Exists:
    return Exists(Sanction.objects.filter(Sanction.stands(timezone.now()), user=OuterRef("user")))
