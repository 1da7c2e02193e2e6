"""The creator group: asking to join, adding (one by one, by list, by wave), and removing people.

Each change by staff stands in Django's admin log; each new member is told by mail once the change is final.
"""

import logging
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from django.contrib.admin.models import ADDITION, DELETION, LogEntry
from django.db import connection, transaction
from django.utils import timezone

from core.after_commit import after_commit
from core.text import PLAN, WAVE
from core.throttle import Limit
from people.actions.typed import clean_text
from people.creators.queries import waiting
from people.models import Creator, User
from people.notify import notify_new_creator
from people.queries import by_handles_or_emails
from people.refusals import PeopleRefused

log = logging.getLogger(__name__)

ASKING = Limit("ask", per_minute=2, burst=6, refused=PeopleRefused)
WAVES = 0x5741_5645  # "WAVE": the advisory lock under which waves take turns


@dataclass(frozen=True)
class Added:
    """The result of adding people: new members, earlier members, words that match nobody, unconfirmed addresses."""

    new: list[User]
    before: list[User]
    missing: list[str] = field(default_factory=list)
    unconfirmed: list[str] = field(default_factory=list)


def ask_for_creator(user: User, plan: str) -> Creator:
    """Join the queue, or change the plan and keep the place in it. Raises PeopleRefused."""
    if not plan.strip():
        raise PeopleRefused("no_plan")
    plan = clean_text("plan", PLAN, plan)
    ASKING.check(str(user.pk))
    with transaction.atomic():
        creator, created = Creator.objects.select_for_update().get_or_create(
            user=user, defaults={"asked_at": timezone.now(), "plan": plan}
        )
        if creator.is_member:
            raise PeopleRefused("already_a_creator")
        if not created:
            creator.plan = plan
            creator.save(update_fields=["plan"])
    return creator


def withdraw_ask(user: User) -> bool:
    """Leave the queue; asking again starts at its end. Returns whether there was something to withdraw."""
    deleted, _by_model = Creator.objects.filter(user=user, added_at=None).delete()
    return deleted > 0


@transaction.atomic
def add_creators(people: Sequence[User], by: User | None, wave: str = "") -> Added:
    """Add people to the group. Those who are members already keep their date and get no second mail."""
    wave = clean_text("wave", WAVE, wave, required=False)
    now = timezone.now()
    rows = {row.user_id: row for row in lock_rows(people, now)}
    new, before = [], []
    for user in people:
        row = rows[user.pk]
        if row.is_member:
            before.append(user)
            continue
        row.added_at, row.added_by, row.wave = now, by, wave
        row.asked_at = None if row.asked_at == now else row.asked_at
        row.save(update_fields=["added_at", "added_by", "wave", "asked_at"])
        new.append(user)
    message = f"Added to the creator group, wave “{wave}”" if wave else "Added to the creator group"
    write_log(by, [rows[user.pk] for user in new], ADDITION, message)
    for user in new:
        after_commit(notify_new_creator, user)
    return Added(new, before)


def lock_rows(people: Sequence[User], now: datetime) -> list[Creator]:
    """Lock everybody's row, made where it is missing, in key order so that two lists cannot deadlock.

    A new row has `asked_at=now`, which the caller empties again.
    """
    made = [Creator(user=user, asked_at=now) for user in sorted(people, key=lambda user: user.pk)]
    Creator.objects.bulk_create(made, ignore_conflicts=True)
    return list(Creator.objects.select_for_update().filter(user__in=people).order_by("pk"))


def add_creators_by_list(words: Sequence[str], by: User | None, wave: str = "") -> Added:
    """Add all who have an account from a list of handles and e-mail addresses; the result has the words that match
    nobody."""
    named = by_handles_or_emails(words)
    added = add_creators(named.people, by, wave)
    return Added(added.new, added.before, named.missing, named.unconfirmed)


@transaction.atomic
def add_wave(size: int, name: str, by: User | None) -> Added:
    """Add the next `size` people in the queue, oldest first.

    Waves take turns under an advisory lock, so that two never take the same people; rows are locked in the order in
    which lists lock them. People who are added or withdraw while the wave begins are left out, and not replaced.
    """
    if not name.strip():
        raise PeopleRefused("no_wave_name")
    if size < 1:
        raise PeopleRefused("bad_wave_size")
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [WAVES])
    next_ones = list(waiting().values_list("pk", flat=True)[:size])
    locked = Creator.objects.select_for_update(of=("self",)).select_related("user").order_by("pk")
    rows = sorted(locked.filter(pk__in=next_ones, added_at=None), key=lambda row: next_ones.index(row.pk))
    return add_creators([row.user for row in rows], by, name)


@transaction.atomic
def remove_creators(people: Sequence[User], by: User | None) -> list[User]:
    """Remove people from the group; rooms they host go on, and they may ask again. Returns who was in it."""
    rows = list(
        Creator.objects.select_for_update(of=("self",))
        .select_related("user")
        .filter(user__in=people, added_at__isnull=False)
        .order_by("pk")
    )
    write_log(by, rows, DELETION, "Removed from the creator group")
    Creator.objects.filter(pk__in=[row.pk for row in rows]).delete()
    return [row.user for row in rows]


def write_log(by: User | None, rows: Sequence[Creator], flag: int, message: str) -> None:
    """Log a change to the group: in the admin's log for a person, in the process' log for a command."""
    if by is None:
        log.info("%s: %s", message, ", ".join(row.user.handle for row in rows))
    elif rows:
        LogEntry.objects.log_actions(by.pk, rows, flag, change_message=message)
