"""People and rooms for tests of rooms: made as the site makes them, through actions where there is one."""

from __future__ import annotations

import functools
from typing import Any

from allauth.account.models import EmailAddress
from django.conf import settings
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
from django.contrib.auth.hashers import make_password
from django.utils import timezone

from people.models import Creator, User
from people.sessions import SessionStore
from rooms import actions
from rooms.models import Room
from tests.people.staff import use_second_step

_password = functools.cache(make_password)


def person(handle: str, *, creator: bool = False, **extra: Any) -> User:
    user = User(handle=handle, email=f"{handle}@example.org", display_name=extra.pop("name", handle.title()), **extra)
    user.password = _password("a long enough password")
    user.save()
    EmailAddress.objects.create(user=user, email=user.email, primary=True, verified=True)
    if creator:
        Creator.objects.create(user=user, added_at=timezone.now())
    return user


def consented(user: User, room: Room) -> User:
    actions.record_consent(user, room, settings.CONSENT_VERSION)
    return user


def seated(handle: str, room: Room) -> User:
    user = consented(person(handle), room)
    actions.take_seat(room.pk, user)
    return user


def open_room(handle: str = "host", **values: Any) -> Room:
    host = User.objects.filter(handle=handle).first() or person(handle, creator=True)
    return actions.open_room(host, **{"title": "Voices at the table", **values})


def session_cookie(user: User) -> str:
    """A browser that is signed in."""
    store = SessionStore()
    store[SESSION_KEY] = str(user.pk)
    store[BACKEND_SESSION_KEY] = settings.AUTHENTICATION_BACKENDS[0]
    store[HASH_SESSION_KEY] = user.get_session_auth_hash()
    if user.is_staff:
        use_second_step(store, user)
    store.create()
    return f"{settings.SESSION_COOKIE_NAME}={store.session_key}"
