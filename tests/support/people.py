"""People for tests: accounts, their sessions and tokens."""

from __future__ import annotations

import functools
import itertools
from datetime import timedelta
from typing import Any

from allauth.account.models import EmailAddress
from django.conf import settings
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
from django.contrib.auth.hashers import Argon2PasswordHasher, make_password
from django.test import Client
from django.utils import timezone

from mail.addresses import canonical_address
from people.actions.credentials import token_hash
from people.models import ApiToken, Creator, User
from people.sessions import SessionStore
from tests.support.staff import use_second_step

PASSWORD = "a long enough password"
_numbers = itertools.count(1)


@functools.cache
def _hashed(password: str, _hashers: tuple[str, ...], _memory: int) -> str:
    """One slow hash a run, not one a person; another where a test sets other hashers, or less work for them."""
    return make_password(password)


def person(handle: str = "", *, confirmed: bool = True, creator: bool = False, name: str = "", **facts: Any) -> User:
    """An account that can sign in with PASSWORD; `name` is its display name, `facts` are columns.

    Its rows are written as `people.actions.account.set_email` leaves them.
    """
    handle = handle or f"person{next(_numbers)}"
    email = canonical_address(facts.pop("email", f"{handle.lower()}@example.org"))
    facts.setdefault("display_name", name or handle.title())
    if confirmed and facts.get("proved_at") is None:
        facts["proved_at"] = timezone.now()
    hashed = _hashed(PASSWORD, tuple(settings.PASSWORD_HASHERS), Argon2PasswordHasher.memory_cost)
    user = User.objects.create(handle=handle, email=email, password=hashed, **facts)
    if email:
        EmailAddress.objects.create(user=user, email=email, primary=True, verified=confirmed)
    if creator:
        Creator.objects.create(user=user, added_at=timezone.now())
    return user


def api_client(user: User) -> Client:
    """A program with a token of the person's own."""
    number = next(_numbers)
    text = f"stf_{user.handle}-{number}"
    over = timezone.now() + timedelta(days=1)
    ApiToken.objects.create(user=user, name="A program", hash=token_hash(text), prefix=text[:8], expires_at=over)
    return Client(headers={"authorization": f"Token {text}"})


def people(number: int) -> list[User]:
    """Many accounts that need not sign in."""
    names = [f"row{next(_numbers)}" for _place in range(number)]
    return User.objects.bulk_create(
        User(handle=name, display_name="Row", email=f"{name}@example.org") for name in names
    )


def session_cookie(user: User) -> str:
    """The cookie of a browser that is signed in."""
    store = SessionStore()
    store[SESSION_KEY] = str(user.pk)
    store[BACKEND_SESSION_KEY] = settings.AUTHENTICATION_BACKENDS[0]
    store[HASH_SESSION_KEY] = user.get_session_auth_hash()
    if user.is_staff:
        use_second_step(store, user)
    store.create()
    return f"{settings.SESSION_COOKIE_NAME}={store.session_key}"
