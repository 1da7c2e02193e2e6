"""Queries about people."""

from collections.abc import Iterable
from dataclasses import dataclass

from allauth.account.models import EmailAddress
from django.db.models import Q
from django.db.models.functions import Lower

from people.models import User
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
