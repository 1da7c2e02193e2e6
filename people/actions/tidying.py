"""Deletion of what expired: sessions, API tokens, and sign-ups that were never confirmed."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.conf import settings
from django.db.models import QuerySet
from django.utils import timezone

from core.batches import run_each
from people.models import ApiToken, Session, User

KEPT = timedelta(days=30)  # for so long an expired token stays listed, to explain why a program is refused


def tidy_accounts() -> tuple[int, int, int]:
    """Delete each kind by itself, so that a failure stops no other. Returns numbers of sessions, tokens, sign-ups."""
    now = timezone.now()
    sessions = Session.objects.filter(expire_date__lte=now)
    tokens = ApiToken.objects.filter(expires_at__lte=now - KEPT)
    stale = User.objects.filter(
        signing_up=True, proved_at=None, last_login=None, date_joined__lte=now - timedelta(days=settings.SIGNUP_DAYS)
    )
    return _delete(sessions, "a session"), _delete(tokens, "an API token"), _delete(stale, "a sign-up")


def _delete(rows: QuerySet[Any], what: str) -> int:
    """Delete rows together, or one by one where that fails. Returns how many."""
    number = rows.count()
    if run_each([what], lambda _what: rows.delete(), "deleting together"):
        return number
    return run_each(list(rows), lambda row: row.delete(), f"deleting {what}")
