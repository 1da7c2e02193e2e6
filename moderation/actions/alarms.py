"""Alarms to staff: a mail and an official message at once, to those who have the right to act and are no party."""

from __future__ import annotations

from django.conf import settings
from django.db.models import QuerySet

from moderation.actions.joining import staff_parties, with_right
from moderation.addresses import path_of
from moderation.models import Case
from moderation.wording import ALARM, ALARMS
from people.models import User
from people.notify import send
from social.actions.messages import send_official


def alert(case: Case, kind: str = "life_in_danger") -> int:
    """Alert the child-safety role of a child-safety case, and seniors of all others. Returns the number of people.

    `kind` is a key of `moderation.wording.ALARMS`. Runs in the caller's transaction: all are told or nobody. A message
    holds keys only.
    """
    if kind not in ALARMS:
        raise LookupError(f"{kind} is no alarm")
    receivers = list(receivers_of(case))
    for user in receivers:
        send(
            user,
            "moderation/email/alarm.txt",
            alarm=ALARMS[kind],
            case=case,
            url=f"{settings.SITE_URL}{path_of(case.pk)}",
        )
    send_official(receivers, ALARM, {"kind": kind, "case": case.pk})
    return len(receivers)


def receivers_of(case: Case) -> QuerySet[User]:
    """Select whom an alarm about a case is for: superusers where nobody has the role, for they can act and give it."""
    codename = "child_safety_case" if case.child_safety else "senior_case"
    open_accounts = User.objects.filter(is_active=True).exclude(pk__in=staff_parties(case)).distinct().order_by("pk")
    of_role = open_accounts.filter(with_right(codename))
    return of_role if of_role.exists() else open_accounts.filter(is_superuser=True)
