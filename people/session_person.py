"""The account behind a session, for handshakes of sockets: session, account and standing in one query.

`auth.get_user`, which pages use, asks twice and ends a session whose hash does not match; a socket only refuses it.
"""

from __future__ import annotations

import functools
from collections.abc import Collection
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from django.conf import settings
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import Exists, OuterRef
from django.utils import timezone
from django.utils.crypto import constant_time_compare

from core.written import Written
from people.models import Creator, Sanction, Session, User
from people.sessions import SessionStore, stored_key
from people.standing import Standing

KEYS, NOW = ("the key of a session",), datetime(1900, 1, 1, tzinfo=UTC)  # placeholders
_FIELDS = [field.attname for field in User._meta.concrete_fields]


@dataclass(frozen=True, slots=True)
class SignedIn:
    """An account, the public name of the session that signed it in, and its standing, all of one moment."""

    user: User
    ident: str
    standing: Standing


def signed_in_by(key: str) -> SignedIn | None:
    """Find the account that a session, by the key in its cookie, signs in now. None for a session that is over or
    unknown, was signed in before the password changed, or whose account is closed."""
    return signed_in_by_many([key]).get(key)


def signed_in_by_many(keys: Collection[str]) -> dict[str, SignedIn]:
    """`signed_in_by` for many sessions, by key, in one query; those that sign nobody in are missing."""
    by_stored = {stored_key(key): key for key in keys}
    signed_in = {}
    for stored, ident, text, creator, kinds, *columns in _written().rows({KEYS: list(by_stored), NOW: timezone.now()}):
        user = User.from_db(None, _FIELDS, columns)
        if _is_of(user, SessionStore().decode(text)):
            standing = Standing(True, user.is_active, creator, frozenset(kinds))
            signed_in[by_stored[stored]] = SignedIn(user, ident, standing)
    return signed_in


def _is_of(user: User, data: dict[str, Any]) -> bool:
    """Whether a session's data signs this account in, by the rules of `django.contrib.auth.get_user`."""
    if data.get(SESSION_KEY) != str(user.pk) or data.get(BACKEND_SESSION_KEY) not in settings.AUTHENTICATION_BACKENDS:
        return False
    given = data.get(HASH_SESSION_KEY) or ""
    hashes = [user.get_session_auth_hash(), *user.get_session_auth_fallback_hash()]
    return any(constant_time_compare(given, expected) for expected in hashes)


@functools.cache
def _written() -> Written:
    sanctions = Sanction.objects.filter(Sanction.holds(NOW), user=OuterRef("user_id")).order_by()
    rows = Session.objects.filter(session_key__one_of=KEYS, expire_date__gt=NOW, user__is_active=True).annotate(
        creator_now=Exists(Creator.objects.filter(user=OuterRef("user_id"), added_at__isnull=False)),
        kinds=ArraySubquery(sanctions.values("kind")),
    )
    account = [f"user__{name}" for name in _FIELDS]
    return Written(
        rows.values_list("session_key", "ident", "session_data", "creator_now", "kinds", *account), (KEYS, NOW)
    )
