"""Sanctions, closing and reopening accounts. After each change, access that depends on the account is checked again."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db import transaction
from django.utils import timezone

from core.text import REASON
from ledger.actions import record
from people.actions.credentials import EndedCredentials, end_credentials
from people.actions.standing_change import standing_changed as standing_changed
from people.actions.typed import clean_text, clean_texts
from people.models import Sanction, User
from people.refusals import PeopleRefused
from people.standing import lock_standing

SENT_TWICE = timedelta(minutes=1)  # the same sanction within it is one form sent twice


@transaction.atomic
def impose_sanction(
    user: User,
    kind: str,
    by: User | None,
    why: str,
    ends_at: datetime | None = None,
    begins_at: datetime | None = None,
) -> Sanction:
    """Put a sanction on an account; `by` is None for a command. Refuses bad_value and not_allowed (oneself).

    The same sanction for the same reason by the same person within SENT_TWICE is returned instead of imposed twice.
    """
    now = timezone.now()
    begins = begins_at or now
    wrong: dict[str, str] = {}
    if kind not in Sanction.Kind.values:
        wrong["kind"] = ", ".join(Sanction.Kind.values)
    kept, unfit = clean_texts({"why": (REASON, why, True)})
    wrong |= unfit
    if ends_at is not None and ends_at <= max(begins, now):
        wrong["ends_at"] = "> now"
    if wrong:
        raise PeopleRefused("bad_value", wrong)
    if by is not None and by.pk == user.pk:
        raise PeopleRefused("not_allowed")
    why = kept["why"]
    lock_standing(user.pk)
    given = {"user": user, "kind": kind, "why": why, "ends_at": ends_at, "imposed_by": by}
    before = Sanction.objects.filter(**given, lifted_at=None, begins_at__gte=now - SENT_TWICE).first()
    if before is not None and begins_at is None:
        return before
    sanction = Sanction.objects.create(**given, begins_at=begins)
    standing_changed(user, kind)
    until = "" if ends_at is None else ends_at.isoformat()
    values = {"sanction": sanction.pk, "kind": kind, "from": begins.isoformat(), "until": until}
    record("sanction_imposed", f"person:{user.pk}", None if by is None else by.pk, values, {"why": why})
    return sanction


@transaction.atomic
def lift_sanction(sanction: Sanction, by: User | None, why: str) -> bool:
    """End a sanction early. Returns whether it was in force or to come. Refuses bad_value and not_allowed (oneself)."""
    why = clean_text("why", REASON, why, required=False)
    row = Sanction.objects.select_for_update(of=("self",)).select_related("user").get(pk=sanction.pk)
    now = timezone.now()
    if row.lifted_at is not None or (row.ends_at is not None and row.ends_at <= now):
        return False
    if by is not None and by.pk == row.user_id:
        raise PeopleRefused("not_allowed")
    row.lifted_at, row.lifted_by = now, by
    row.save(update_fields=["lifted_at", "lifted_by"])
    standing_changed(row.user, "sanction_lifted")
    values = {"sanction": row.pk, "kind": row.kind}
    record("sanction_lifted", f"person:{row.user_id}", None if by is None else by.pk, values, {"why": why})
    return True


@transaction.atomic
def close_account(user: User, by: User | None, why: str) -> bool:
    """Close an account: nobody signs in to it, and its credentials end. Returns whether it was open."""
    return _set_active(user, by, why, False)


@transaction.atomic
def reopen_account(user: User, by: User | None, why: str) -> bool:
    """Reopen a closed account. Returns whether it was closed. Raises account_deleted: that is for good."""
    return _set_active(user, by, why, True)


@transaction.atomic
def end_all_sessions(user: User, by: User | None, why: str) -> EndedCredentials:
    """End every session and API token of an account, as staff do when somebody else got into it."""
    why = clean_text("why", REASON, why)
    ended = end_credentials(user, "sessions_ended")
    values = {"sessions": ended.sessions, "tokens": ended.tokens}
    record("sessions_ended", f"person:{user.pk}", None if by is None else by.pk, values, {"why": why})
    return ended


def _set_active(user: User, by: User | None, why: str, active: bool) -> bool:
    why = clean_text("why", REASON, why, required=False)
    row = User.objects.select_for_update(no_key=True).get(pk=user.pk)
    if row.deleted_at is not None:
        raise PeopleRefused("account_deleted")
    if row.is_active == active:
        return False
    row.is_active = user.is_active = active
    row.save(update_fields=["is_active"])
    kind = "account_reopened" if active else "account_closed"
    if active:
        standing_changed(row, kind)
    else:
        end_credentials(row, kind)
    record(kind, f"person:{row.pk}", None if by is None else by.pk, {}, {"why": why} if why else {})
    return True
