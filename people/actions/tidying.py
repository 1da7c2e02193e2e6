"""Delete what is over and of no use to anybody: sessions, API tokens, sign-ups that were never confirmed."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.conf import settings
from django.db.models import QuerySet
from django.utils import timezone

from core.batches import run_each
from people.models import ApiToken, Session, User

KEPT = timedelta(days=30)  # a token that is over stays in its person's list for so long: a program may ask why


def tidy_accounts() -> tuple[int, int, int]:
    """Delete them, each by itself: what cannot be deleted keeps nothing else. How many sessions, tokens, sign-ups."""
    now = timezone.now()
    sessions = Session.objects.filter(expire_date__lte=now)
    tokens = ApiToken.objects.filter(expires_at__lte=now - KEPT)
    stale = User.objects.filter(
        signing_up=True, proved_at=None, last_login=None, date_joined__lte=now - timedelta(days=settings.SIGNUP_DAYS)
    )
    return _delete(sessions, "a session"), _delete(tokens, "an API token"), _delete(stale, "a sign-up")


def _delete(rows: QuerySet[Any], what: str) -> int:
    """Delete rows; one by one where they cannot be deleted together. Returns how many."""
    number = rows.count()
    if run_each([what], lambda _what: rows.delete(), "deleting together"):
        return number
    return run_each(list(rows), lambda row: row.delete(), f"deleting {what}")
