"""Work after the deletion of an account is committed, done again by the sweep until nothing is left: the file of the
picture, names in files, the last address, and fingerprints whose time is over."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils import timezone

from core import bus
from core.batches import run_each
from mail.models import Mail
from people.actions.takedowns import forget_taken_down
from people.hooks import reasons_to_tell, still_to_forget
from people.models import DeletedAccount, Fingerprint, Sanction, User
from people.standing import lock_standing

AGAIN = timedelta(days=1)  # for so long the sweep does everything again: a request may have been under way


def forget(user_pk: int, now: datetime | None = None) -> bool:
    """Do what is left to do for a deleted account; idempotent. Returns whether nothing is left."""
    for part in still_to_forget.values():
        part(user_pk)
    done = _let_go(user_pk, now or timezone.now())
    bus.client().delete(bus.key(f"unsent:{user_pk}"))  # what was typed; it would expire within half an hour
    return done


def _let_go(user_pk: int, now: datetime) -> bool:
    """Delete what is kept of an account itself, as far as nothing needs it. Returns whether nothing is left."""
    with transaction.atomic():
        lock_standing(user_pk)
        row = DeletedAccount.objects.filter(user=user_pk).first()
        if row is None:
            return True
        _delete_picture(row)
        needed = any(needs(user_pk, now) for needs in reasons_to_tell.values())
        if needed:
            return False
        forget_taken_down(user_pk)
        if row.email and not _mails_are_gone(row.email):
            return False
        if row.at > now - AGAIN:
            DeletedAccount.objects.filter(pk=row.pk).update(email="", language="en")
        else:
            row.delete()
        _delete_fingerprints(now, Fingerprint.objects.filter(user=user_pk))
    return row.pk is None


def tidy_deleted(now: datetime | None = None) -> None:
    """Do what is left for every deleted account, and delete fingerprints that are needed no more."""
    now = now or timezone.now()
    waiting = list(DeletedAccount.objects.order_by("pk").values_list("user_id", flat=True))
    run_each(waiting, lambda pk: forget(pk, now), "forgetting a deleted account")
    _delete_fingerprints(now, Fingerprint.objects.all())


def _delete_fingerprints(now: datetime, rows: QuerySet[Fingerprint]) -> None:
    """Delete those of these fingerprints that are needed no more: of a handle once its time is over, of an address once
    nobody may still decide about the account; neither while a suspension of it stands."""
    stands = Sanction.objects.filter(Sanction.stands(now), user=OuterRef("user"))
    waits = DeletedAccount.objects.filter(user=OuterRef("user")).exclude(email="")
    over = Q(kind="handle", until__lte=now) | (Q(kind="address") & ~Q(Exists(waits)))
    rows.filter(over & ~Q(Exists(stands))).delete()


def _delete_picture(row: DeletedAccount) -> None:
    if row.picture:
        User._meta.get_field("picture").storage.delete(row.picture)  # one that is gone already is no error
        DeletedAccount.objects.filter(pk=row.pk).update(picture="")


def _mails_are_gone(email: str) -> bool:
    """Delete the rows of mails to an address that are out or given up. Returns whether no other waits to be sent."""
    mails = Mail.objects.filter(to__iexact=email)
    mails.exclude(state=Mail.State.WAITING).delete()
    return not mails.exists()
