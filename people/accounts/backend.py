"""allauth's authentication backend: sign-in by handle or address, but not by an address that nobody confirmed."""

from typing import Any, cast

from allauth.account.auth_backends import AuthenticationBackend
from allauth.account.models import EmailAddress
from django.contrib.auth.hashers import check_password, make_password
from django.contrib.auth.models import AnonymousUser
from django.http import HttpRequest

from core.text import nfc
from mail.addresses import lookup_address
from people.models import User
from people.spelling import password_spellings, plain_login


def by_login(login: str) -> User | None:
    """Find the account for a handle (with or without its @) or an address that was typed to sign in."""
    login = plain_login(login)
    return by_address(login) if "@" in login else User.objects.by_handle(login)


def by_address(email: str) -> User | None:
    """Find the account of an address: the one that confirmed it, else one to which staff or a command gave it.

    Accounts that are still signing up are never found: anybody can sign up with anybody's address, and finding one
    would reveal whether there is another.
    """
    email = lookup_address(email)
    confirmed = EmailAddress.objects.filter(email=email, verified=True).select_related("user").first()
    if confirmed is not None:
        return cast(User, confirmed.user)
    return User.objects.by_email(email, signing_up=False)


class AccountBackend(AuthenticationBackend):  # type: ignore[misc]  # allauth is not typed
    """Authentication by handle or address, and password. Computes as many hashes for an unknown account as for a
    known one."""

    def _authenticate(self, request: HttpRequest | None, **credentials: Any) -> User | None:
        login = credentials.get("username") or credentials.get("email") or ""
        password = credentials.get("password") or ""
        user = cast(User | None, self._check_password(by_login(login), password))
        signing_in = request is None or not getattr(request, "user", AnonymousUser()).is_authenticated
        if user is not None and signing_in:
            normalise_password(user, password)
        return user

    def _mitigate_timing_attack(self, password: str) -> None:
        for spelling in password_spellings(password):
            make_password(spelling)


def normalise_password(user: User, typed: str) -> None:
    """Hash a password anew that matched as typed, but was set before passwords were normalised.

    The password stays the same, so no credential ends; only sessions elsewhere have to sign in again, because Django
    ties them to the hash.
    """
    normal = nfc(typed)
    if normal != typed and not check_password(normal, user.password):
        user.password = make_password(normal)
        user.save(update_fields=["password"])
