"""Delete what is over and of no use to anybody: sessions, API tokens, sign-ups that were never confirmed."""

from __future__ import annotations

from datetime import timedelta

from django.conf import settings
from django.utils import timezone

from people.models import ApiToken, Session, User

KEPT = timedelta(days=30)  # a token that is over stays in its person's list for so long: a program may ask why


def tidy_accounts() -> tuple[int, int, int]:
    """Delete them. Returns how many sessions, tokens and sign-ups."""
    now = timezone.now()
    sessions = Session.objects.filter(expire_date__lte=now).delete()[0]
    tokens = ApiToken.objects.filter(expires_at__lte=now - KEPT).delete()[0]
    stale = User.objects.filter(
        signing_up=True, proved_at=None, last_login=None, date_joined__lte=now - timedelta(days=settings.SIGNUP_DAYS)
    )
    sign_ups = stale.count()
    stale.delete()
    return sessions, tokens, sign_ups
