"""Claims of cases: one person works on a case, for half an hour, renewed by work.

A claim that is over is nobody's from that moment on, whether or not the sweep has been there: it gives no right and is
not renewed by work. Whoever had it takes it again by claiming, as long as nobody else did; that is no new entry.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

from django.db import connection, transaction
from django.db.models import BooleanField, ExpressionWrapper, Q
from django.utils import timezone

from ledger.actions import Act, record_all
from moderation.actions.joining import refresh_parties
from moderation.actions.locking import checked
from moderation.actions.telling import case_changed
from moderation.models import Case, Review
from moderation.queries.access import facts_of, visible_cases
from moderation.refusals import ModerationRefused
from moderation.rules.access import why_not_claim
from people.models import User
from rooms.models import Room

FOR = timedelta(minutes=30)
CLAIMS = 0x434C_4149  # "CLAI": the first key of the advisory locks of claims; the second is the account's


def claim(case: Case, by: User) -> Case:
    """Claim a case for half an hour; another one that this person has is released. Claiming again renews, also what was
    over and nobody took.

    Raises unknown_case, not_allowed, claimed_by_another, decided_already, waits_for_second.
    """
    with transaction.atomic():
        rows = _lock(by, [case.pk])
        row = next((row for row in rows if row.pk == case.pk), None)
        if row is None:
            raise ModerationRefused("unknown_case")
        refresh_parties(row)  # somebody may have sat on the stage since
        checked(row, by, why_not_claim)
        if row.claimed_by_id == by.pk:
            _set(row, by)
            return row
        released = _release_all([other for other in rows if other.pk != row.pk])
        _set(row, by)
        _record([*released, Act("case_claimed", row.ledger_subject, by.pk)], [*rows])
    return row


def claim_next(by: User) -> Case | None:
    """Claim the first case of the queue that nobody has: live rooms first, then by priority. None if there is none;
    then this person keeps the case they have. Raises not_allowed."""
    with transaction.atomic():
        own = _lock(by, [])
        if not by.has_perm("moderation.claim_case"):
            raise ModerationRefused("not_allowed")
        row = _free(by, timezone.now())
        if row is None:
            return None
        refresh_parties(row)
        if why_not_claim(facts_of(row, by)):
            return None
        others = [one for one in own if one.pk != row.pk]
        released = _release_all(others)
        _set(row, by)
        _record([*released, Act("case_claimed", row.ledger_subject, by.pk)], [*others, row])
    return row


def renew(case: Case, by: User) -> bool:
    """Renew a claim by half an hour, as work on the case does; also that of its review. Returns whether this person has
    the case."""
    now = timezone.now()
    reviewed = Review.objects.filter(decision__case=case.pk, claimed_by=by.pk, claimed_until__gt=now)
    reviewed.filter(state=Review.State.OPEN).update(claimed_until=now + FOR)
    mine = Case.objects.filter(pk=case.pk, claimed_by=by.pk, claimed_until__gt=now, state=Case.State.OPEN)
    return bool(mine.update(claimed_until=now + FOR))


def release(case: Case, by: User) -> bool:
    """Give a claim back. Returns whether this person had it."""
    with transaction.atomic():
        row = Case.objects.select_for_update(no_key=True).filter(pk=case.pk, claimed_by=by.pk).first()
        if row is None or row.holder(timezone.now()) is None:
            return False
        _record(_release_all([row]), [row])
    return True


def release_expired() -> int:
    """Release the claims whose time is over; returns how many. Rows that another has locked are left to the next
    time."""
    with transaction.atomic():
        over = Case.objects.filter(claimed_until__lte=timezone.now())
        rows = list(over.select_for_update(skip_locked=True, no_key=True).order_by("pk")[:200])
        _record(_release_all(rows, by_person=False), rows)
    return len(rows)


def _lock(by: User, keys: Iterable[int]) -> list[Case]:
    """Lock these cases and those that a person has, in one order. An advisory lock comes first, so that two claims of
    one person wait for each other; not the account, which decisions lock after their case."""
    lock_claims(by)
    rows = Case.objects.filter(Q(pk__in=list(keys)) | Q(claimed_by=by.pk, state=Case.State.OPEN))
    return list(rows.select_for_update(no_key=True).order_by("pk"))


def lock_claims(by: User) -> None:
    """Have claims of one person wait for each other, until the transaction ends."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s, %s)", [CLAIMS, by.pk % 2**31])


def _free(by: User, now: datetime) -> Case | None:
    free = Q(claimed_by=None) | Q(claimed_until__lte=now)
    live = ExpressionWrapper(Q(room__status=Room.Status.LIVE), output_field=BooleanField())
    rows = visible_cases(by).filter(free, state=Case.State.OPEN)
    queue = rows.order_by(live.desc(nulls_last=True), "-priority", "opened_at", "pk")
    return queue.select_for_update(skip_locked=True, of=("self",), no_key=True).first()


def _set(row: Case, by: User) -> None:
    row.claimed_by, row.claimed_until = by, timezone.now() + FOR
    row.save(update_fields=["claimed_by", "claimed_until"])


def _release_all(rows: Iterable[Case], *, by_person: bool = True) -> list[Act]:
    acts = []
    for row in rows:
        holder = row.claimed_by_id
        row.claimed_by = row.claimed_until = None
        row.save(update_fields=["claimed_by", "claimed_until"])
        data = {} if by_person else {"from": holder, "why": "expired"}
        acts.append(Act("case_released", row.ledger_subject, holder if by_person else None, data))
    return acts


def _record(acts: list[Act], rows: Iterable[Case]) -> None:
    for row in rows:
        case_changed(row)
    if acts:
        record_all(acts)
