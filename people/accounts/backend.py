"""Signing in by handle or address: allauth's backend, without addresses that nobody confirmed."""

from typing import Any, cast

from allauth.account.auth_backends import AuthenticationBackend
from allauth.account.models import EmailAddress
from django.db.models.functions import Lower
from django.http import HttpRequest

from people.handles import read_handle
from people.models import User


def by_login(login: str) -> User | None:
    """The account that a person means who writes a handle (with or without its @) or an address."""
    login = login.strip().lower()
    if "@" in login[1:]:
        return by_address(login)
    handle = read_handle(login)
    return User.objects.annotate(low=Lower("handle")).filter(low=handle).first() if handle else None


def by_address(email: str) -> User | None:
    """The account that an address leads to: whose owner confirmed it, else that staff or a command gave it to.

    An account that is only signing up is no answer: anybody can sign up with anybody's address, and whether that
    account is found would tell whether there is another one.
    """
    email = email.strip().lower()
    confirmed = EmailAddress.objects.filter(email=email, verified=True).select_related("user").first()
    if confirmed is not None:
        return cast(User, confirmed.user)
    return User.objects.filter(email=email, signing_up=False).exclude(email="").first()


class AccountBackend(AuthenticationBackend):  # type: ignore[misc]  # allauth is not typed
    """A handle or an address, and the password. One password is computed a try, whoever is or is not found."""

    def _authenticate(self, request: HttpRequest | None, **credentials: Any) -> User | None:
        login = credentials.get("username") or credentials.get("email") or ""
        return cast(User | None, self._check_password(by_login(login), credentials.get("password") or ""))
