"""Alarms to staff: a mail and an official message at once, to those who have the right to act and are no party.

No flood of reports becomes one of mails, and no report is swallowed: an alarm is told by itself unless there was one
about its room within the hour, or MOST_AN_HOUR of its kind. Then it waits for `tell_of_more`, which says that there are
more, at most every MORE_EVERY. About one case there is an alarm of a kind an hour.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from django.conf import settings
from django.db import connection, transaction
from django.db.models import Q, QuerySet
from django.urls import reverse
from django.utils import timezone

from moderation.actions.joining import staff_parties, with_right
from moderation.addresses import alarm_path
from moderation.models import Alarm, Case, Review
from moderation.models.appeals import UNDECIDED
from moderation.queries.access import took_part
from moderation.wording import ALARM, ALARMS, MORE
from people.models import User
from people.notify import send
from social.actions.messages import send_official

HOUR = timedelta(hours=1)
MOST_AN_HOUR = 12  # of one kind, to one group of staff
MORE_EVERY = timedelta(minutes=15)
MOST_AT_ONCE = 200  # alarms that one message about more of them stands for
ALARMED = 0x414C_524D  # "ALRM": the first key of an advisory lock; the second is the kind's place in ALARMS


def alert(case: Case, kind: str = "life_in_danger") -> int:
    """Alert the child-safety role of a child-safety case, and seniors of all others. Returns the number of people who
    are told now.

    `kind` is a key of `moderation.wording.ALARMS`. Runs in the caller's transaction: all are told or nobody. A message
    holds keys only.
    """
    if kind not in ALARMS:
        raise LookupError(f"{kind} is no alarm")
    _lock(kind)
    now = timezone.now()
    lately = Alarm.objects.filter(kind=kind, at__gt=now - HOUR)
    if lately.filter(case=case).exists():
        return 0
    waits = case.room_id is not None and lately.filter(case__room=case.room_id).exists()
    waits = waits or lately.filter(alone=True, case__child_safety=case.child_safety).count() >= MOST_AN_HOUR
    Alarm.objects.create(case=case, kind=kind, at=now, told_at=None if waits else now, alone=not waits)
    if waits:
        return 0
    receivers = list(receivers_of(case, kind))
    for user in receivers:
        url = f"{settings.SITE_URL}{alarm_path(kind, case.pk)}"
        send(user, "moderation/email/alarm.txt", alarm=ALARMS[kind], case=case, url=url)
    send_official(receivers, ALARM, {"kind": kind, "case": case.pk})
    return len(receivers)


def tell_of_more(now: datetime) -> int:
    """Tell of the alarms that wait, each kind and group of staff in one message. Returns how many alarms that were."""
    groups = Alarm.objects.filter(told_at=None).order_by().values_list("kind", "case__child_safety").distinct()
    return sum(_tell_group(kind, child_safety, now) for kind, child_safety in list(groups))


def _tell_group(kind: str, child_safety: bool, now: datetime) -> int:
    with transaction.atomic():
        _lock(kind)
        alarms = Alarm.objects.filter(kind=kind, case__child_safety=child_safety)
        if alarms.filter(alone=False, told_at__gt=now - MORE_EVERY).exists():
            return 0
        waiting = list(alarms.filter(told_at=None).select_related("case").order_by("at", "pk")[:MOST_AT_ONCE])
        undecided = [alarm.case for alarm in waiting if alarm.case.is_open or is_reviewed(alarm.case)]
        people = {user.pk: user for case in undecided for user in receivers_of(case, kind)}
        receivers = [people[pk] for pk in sorted(people)]
        for user in receivers:
            url = f"{settings.SITE_URL}{reverse('admin:moderation_case_changelist')}"
            send(user, "moderation/email/more_alarms.txt", alarm=ALARMS[kind], url=url)
        send_official(receivers, ALARM, {"kind": MORE})
        Alarm.objects.filter(pk__in=[alarm.pk for alarm in waiting]).update(told_at=now)
    return len(waiting)


def _lock(kind: str) -> None:
    """Have alarms of a kind wait for each other until the transaction ends, so that none is told beyond the limit."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s, %s)", [ALARMED, list(ALARMS).index(kind)])


def receivers_of(case: Case, kind: str = "") -> QuerySet[User]:
    """Select whom an alarm about a case is for: superusers where nobody has the role, for they can act and give it.

    That nobody may review is for those who may give the review to somebody else. Once a case is decided, what comes of
    its appeals is not for those who had a part in it.
    """
    codename = "child_safety_case" if case.child_safety else "senior_case"
    if kind == "no_reviewer":
        codename = "assign_reviewer"
    open_accounts = User.objects.filter(is_active=True).exclude(pk__in=staff_parties(case)).distinct().order_by("pk")
    if not case.is_open:
        others = open_accounts.exclude(pk__in=took_part(case))
        if kind != "no_reviewer" or others.filter(with_right(codename) | Q(is_superuser=True)).exists():
            open_accounts = others
    of_role = open_accounts.filter(with_right(codename))
    return of_role if of_role.exists() else open_accounts.filter(is_superuser=True)


def is_reviewed(case: Case) -> bool:
    """Whether a review of a decided case is open."""
    return Review.objects.filter(decision__case=case, state__in=UNDECIDED).exists()
