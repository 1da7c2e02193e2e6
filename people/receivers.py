"""Receivers of signals of Django and allauth: sign-outs and removed second steps end sessions."""

from __future__ import annotations

from typing import Any, cast

from allauth.mfa.models import Authenticator
from allauth.mfa.signals import authenticator_added, authenticator_removed, authenticator_reset
from django.contrib.auth.signals import user_logged_out
from django.http import HttpRequest

from people.actions.credentials import end_credentials, end_session
from people.models import Session, User
from people.sessions import SessionStore


def connect() -> None:
    """Connect the receivers; called once, from the app's `ready`."""
    user_logged_out.connect(on_sign_out, dispatch_uid="people.sign_out")
    authenticator_added.connect(on_factor_added, dispatch_uid="people.factor_added")
    authenticator_reset.connect(on_factor_added, dispatch_uid="people.factor_reset")
    authenticator_removed.connect(on_factor_removed, dispatch_uid="people.factor_removed")


def on_sign_out(request: HttpRequest | None, user: User | None, **_signal: Any) -> None:
    """Delete the session's row before Django empties the session, so that a new check finds it gone."""
    if request is not None and user is not None:
        end_session(user, cast(SessionStore, request.session).stored_key, "signed_out")


def on_factor_added(request: HttpRequest, user: User, authenticator: Authenticator, **_signal: Any) -> None:
    """Remove a second step that was added by a session that ended meanwhile."""
    key = cast(SessionStore, request.session).stored_key
    if not Session.objects.filter(user=user, session_key=key).exists():
        Authenticator.objects.filter(pk=authenticator.pk).delete()


def on_factor_removed(request: HttpRequest, user: User, **_signal: Any) -> None:
    """End all other sessions: a lost passkey may have signed somebody in."""
    end_credentials(user, "factor_ended", keep_session=cast(SessionStore, request.session).stored_key, tokens=False)
