"""People for tests."""

import functools
import itertools
from typing import Any

from django.contrib.auth.hashers import make_password

from people.actions.profile import set_email
from people.models import User

PASSWORD = "a long walk home"
_numbers = itertools.count(1)
_hashed = functools.cache(make_password)  # one slow hash a run, not one a person


def person(handle: str = "", *, confirmed: bool = True, **facts: Any) -> User:
    """An account that can sign in with PASSWORD."""
    handle = handle or f"person{next(_numbers)}"
    email = facts.pop("email", f"{handle.lower()}@example.org")
    facts.setdefault("display_name", handle.capitalize())
    user = User.objects.create(handle=handle, password=_hashed(PASSWORD), **facts)
    return set_email(user, email, confirmed=confirmed)


def people(number: int) -> list[User]:
    """Many accounts that need not sign in."""
    names = [f"row{next(_numbers)}" for _place in range(number)]
    return User.objects.bulk_create(
        User(handle=name, display_name="Row", email=f"{name}@example.org") for name in names
    )
