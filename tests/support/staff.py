"""Staff for tests: sessions that used a second step a moment ago."""

from __future__ import annotations

import time
from typing import Any

from allauth.account.internal.flows.login import AUTHENTICATION_METHODS_SESSION_KEY
from allauth.mfa.models import Authenticator
from django.conf import settings
from django.contrib.auth.models import Permission
from django.contrib.contenttypes.models import ContentType
from django.test import Client

from people.models import User
from people.sessions import SessionStore

SECRET = "JBSWY3DPEHPK3PXP"


def second_step_of(user: User) -> Authenticator:
    """The person's authenticator app."""
    return Authenticator.objects.get_or_create(user=user, type="totp", defaults={"data": {"secret": SECRET}})[0]


def use_second_step(store: SessionStore | Any, user: User, ago: float = 0.0) -> None:
    """Note in a session that its person used the second step so many seconds ago."""
    step = second_step_of(user)
    record = {"method": "mfa", "at": time.time() - ago, "id": step.pk, "type": "totp"}
    store[AUTHENTICATION_METHODS_SESSION_KEY] = [record]
    store[f"{AUTHENTICATION_METHODS_SESSION_KEY}_user"] = str(user.pk)


def sign_in_staff(client: Client, user: User, ago: float = 0.0) -> Client:
    """Sign somebody in as staff work: by a session with a second step."""
    client.force_login(user)
    session = client.session
    use_second_step(session, user, ago)
    session.save()
    return client


def with_fresh_step(user: User) -> User:
    """The same person as an action is given one whose session used a second step."""
    user.step_check = lambda: True
    return user


def may_see_cases(user: User) -> User:
    """Give an account the permission that messages to staff need."""
    label, codename = settings.STAFF_CHANNEL_PERMISSION.split(".")
    permission = Permission.objects.filter(content_type__app_label=label, codename=codename).first()
    if permission is None:
        kind = ContentType.objects.filter(app_label=label).order_by("pk")[0]
        permission = Permission.objects.create(content_type=kind, codename=codename, name=codename)
    user.user_permissions.add(permission)
    return user
