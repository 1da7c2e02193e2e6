"""The account behind a session, as sockets find it, is the one that pages find."""

from __future__ import annotations

from datetime import timedelta
from types import SimpleNamespace
from typing import Any, cast

import pytest
from django.contrib import auth
from django.utils import timezone

from people.models import Creator, Sanction, Session, User
from people.session_person import signed_in_by, signed_in_by_many
from people.sessions import SessionStore
from people.standing import standing_of
from tests.support.people import person, session_cookie

pytestmark = pytest.mark.django_db


def session_of(user: User) -> str:
    """The key of a new session of an account."""
    return session_cookie(user).partition("=")[2]


def found(key: str) -> User | None:
    """The account of a session, after a comparison with what pages find."""
    signed_in = signed_in_by(key)
    ours = None if signed_in is None else signed_in.user
    theirs = auth.get_user(cast(Any, SimpleNamespace(session=SessionStore(key))))
    assert (theirs if theirs.is_authenticated else None) == ours
    return ours


def test_session_account_and_standing_come_in_one_query(django_assert_num_queries: Any) -> None:
    user = person("reader", language="nl")
    Creator.objects.create(user=user, added_at=timezone.now())
    now = timezone.now()
    kinds = {"no_stage": None, "no_hosting": now + timedelta(hours=1), "suspended": now - timedelta(hours=1)}
    for kind, ends in kinds.items():
        Sanction.objects.create(
            user=user, kind=kind, why="of the test", begins_at=now - timedelta(hours=2), ends_at=ends
        )
    key = session_of(user)
    for _run in range(4):  # the third is prepared
        with django_assert_num_queries(1):
            signed_in = signed_in_by(key)
        assert signed_in is not None
        assert signed_in.ident == Session.objects.get().ident
        assert {name: getattr(signed_in.user, name) for name in ("pk", "handle", "language", "date_joined")} == {
            name: getattr(User.objects.get(), name) for name in ("pk", "handle", "language", "date_joined")
        }
        assert signed_in.standing == standing_of(user)
        assert signed_in.standing.sanctions == {"no_stage", "no_hosting"} and signed_in.standing.creator


def test_who_is_not_signed_in_any_more(settings: Any) -> None:
    user = person("reader")
    assert found("nonsense") is None and found("") is None
    key = session_of(user)
    assert found(key) == user
    Session.objects.update(expire_date=timezone.now() - timedelta(seconds=1))
    assert found(key) is None
    key = session_of(user)
    settings.AUTHENTICATION_BACKENDS = ["django.contrib.auth.backends.RemoteUserBackend"]
    assert found(key) is None
    settings.AUTHENTICATION_BACKENDS = ["people.accounts.backend.AccountBackend"]
    User.objects.update(password="changed")
    assert signed_in_by(key) is None and Session.objects.count() == 2, "a socket ends no session"
    assert found(key) is None
    key = session_of(User.objects.get())
    User.objects.update(is_active=False)
    assert found(key) is None


def test_a_session_signed_with_the_secret_before_counts(settings: Any) -> None:
    user = person("reader")
    key = session_of(user)
    settings.SECRET_KEY_FALLBACKS, settings.SECRET_KEY = [settings.SECRET_KEY], "another" * 10
    signed_in = signed_in_by(key)
    assert signed_in is not None and signed_in.user == user
    settings.SECRET_KEY_FALLBACKS = []
    assert signed_in_by(key) is None


def test_sessions_of_many_come_in_one_query(django_assert_num_queries: Any) -> None:
    ada, bert, gone = person("ada"), person("bert", creator=True), person("gone", is_active=False)
    keys = {name: session_of(user) for name, user in (("ada", ada), ("bert", bert), ("bert2", bert), ("gone", gone))}
    Session.objects.filter(user=ada).update(session_data="nonsense")
    keys["ada2"] = session_of(ada)
    for _run in range(4):  # the third is prepared
        with django_assert_num_queries(1):
            signed_in = signed_in_by_many([*keys.values(), "nonsense"])
        assert {name: signed_in[key].user for name, key in keys.items() if key in signed_in} == {
            "ada2": ada,
            "bert": bert,
            "bert2": bert,
        }
        assert signed_in[keys["bert"]].ident != signed_in[keys["bert2"]].ident
        assert signed_in[keys["bert"]].standing == standing_of(bert)
