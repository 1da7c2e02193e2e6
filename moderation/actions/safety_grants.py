"""Leave of seniors to read along in all live rooms: an hour, for a written reason, one entry each."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext

from core.text import REASON, count
from ledger.actions import record
from moderation.actions.locking import refuse
from moderation.actions.typed import cleaned_text
from moderation.models import SafetyGrant
from moderation.queries.live_rooms import open_grant
from moderation.refusals import ModerationRefused
from people.models import User

FOR = timedelta(hours=1)
LEAST = 10  # characters of a reason


def grant_live_view(by: User, reason: str) -> SafetyGrant:
    """Give a senior leave for an hour; while there is one it is that, and no new entry. Refuses not_allowed, bad_value
    for a reason that is too short or too long."""
    refuse(None if by.has_perm("moderation.watch_live") else "not_allowed")
    reason = cleaned_text(REASON, "reason", reason)
    if count(reason) < LEAST:
        raise ModerationRefused(
            "bad_value", {"reason": gettext("Write %(least)s characters at least.") % {"least": LEAST}}
        )
    with transaction.atomic():
        now = _locked(by)
        known = open_grant(by, now)
        if known is not None:
            return known
        grant = SafetyGrant.objects.create(user=by, at=now, until=now + FOR)
        values = {"grant": grant.pk, "until": grant.until.isoformat()}
        record("live_view_granted", f"person:{by.pk}", by.pk, values, {"reason": reason})
    return grant


def end_live_view(by: User) -> bool:
    """End one's own leave before its time. Returns whether there was any."""
    with transaction.atomic():
        now = _locked(by)
        grant = SafetyGrant.objects.filter(user=by, ended_at=None, until__gt=now).first()
        if grant is None:
            return False
        grant.ended_at = now
        grant.save(update_fields=["ended_at"])
        record("live_view_ended", f"person:{by.pk}", by.pk, {"grant": grant.pk})
    return True


def _locked(by: User) -> datetime:
    """Lock an account, so that two presses are one; return the moment."""
    User.objects.select_for_update(no_key=True).get(pk=by.pk)
    return timezone.now()
