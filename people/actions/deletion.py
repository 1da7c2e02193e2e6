"""Deletion of an account by its owner: it becomes nobody's at once, and what others have to do with it stays.

One transaction, all or nothing. Its order is that of all locks: rooms, then the account, then threads, and entries of
the ledger last. What follows the commit is in `people/actions/forgetting.py`, which the sweep does again.
"""

from __future__ import annotations

import secrets
from datetime import timedelta

from allauth.account.models import EmailAddress
from django.conf import settings
from django.contrib.admin.models import LogEntry
from django.contrib.auth.hashers import make_password
from django.db import transaction
from django.utils import timezone

from core.after_commit import after_commit
from core.text import REASON
from ledger.actions import Act, record_all
from people import notify
from people.actions.credentials import end_credentials
from people.actions.forgetting import forget
from people.actions.roles import roles_of
from people.actions.typed import clean_text
from people.deleted import HANDLE_START, STORED_NAME, DeletedAccount, Fingerprint, mac_of
from people.hooks import Former, account_deleted, account_leaves
from people.models import Creator, User
from people.refusals import PeopleRefused

_NEW = User()
_TEXTS = {"email": "", "about": "", "picture": "", "rules_version": ""}
_SETTINGS = ("language", "time_zone", "messages_from", "invitations_by_mail", "listens_unseen", "uses_keys")
# Columns as a new account has them: nothing of what was chosen stays.
_DEFAULTS = {**_TEXTS, **{name: getattr(_NEW, name) for name in _SETTINGS}}


def delete_account(user: User, by: User | None, why: str = "") -> bool:
    """Delete an account, by its owner or (`by` is None) a command with a reason. Returns whether it was there still.

    Live rooms pass to a co-host who is present, or end; roles of staff end with it. Raises last_superuser; not_allowed
    for somebody else's account, bad_value for a command without a reason.
    """
    if by is not None and by.pk != user.pk:
        raise PeopleRefused("not_allowed")
    why = clean_text("why", REASON, why, required=by is None)
    with transaction.atomic():
        for leave in account_leaves.values():
            leave(user.pk)  # still under the name that everybody in the room knows
        row = _locked(user)
        if row.deleted_at is not None:
            return False
        former = Former(row.pk, row.handle, row.display_name, _free_handle())
        acts = _end_roles(row, why)
        notify.send(row, "people/email/account_deleted.txt")
        _keep_what_is_needed(row)
        _empty(row, former)
        for part in account_deleted.values():
            acts += part(former)
        actor = None if by is None else by.pk
        record_all([*acts, Act("account_deleted", f"person:{row.pk}", actor, {}, {"why": why} if why else {})])
        after_commit(forget, row.pk)
    return True


def _locked(user: User) -> User:
    """Lock the account. Raises last_superuser; of two superusers who delete their accounts at once one is the last."""
    if User.objects.filter(pk=user.pk, is_superuser=True, is_active=True).exists():
        superusers = User.objects.filter(is_superuser=True, is_active=True)
        locked = list(superusers.select_for_update(no_key=True).order_by("pk").values_list("pk", flat=True))
        if locked == [user.pk]:
            raise PeopleRefused("last_superuser")
    return User.objects.select_for_update(no_key=True).get(pk=user.pk)


def _free_handle() -> str:
    return f"{HANDLE_START}{secrets.token_hex(8)}"


def _end_roles(row: User, why: str) -> list[Act]:
    """Take roles and permissions of staff away. Returns the ledger's entry of it, if there were roles."""
    taken = roles_of(row)
    row.groups.clear()
    row.user_permissions.clear()
    values = {"given": [], "taken": taken}
    return [Act("roles_changed", f"person:{row.pk}", row.pk, values, {"why": why or "deleted"})] if taken else []


def _keep_what_is_needed(row: User) -> None:
    """Keep the address and the picture's name until the sweep finds no reason to, and fingerprints of both names."""
    picture = row.picture.name or ""
    DeletedAccount.objects.create(user=row, email=row.email, language=row.language, picture=picture)
    until = timezone.now() + timedelta(days=settings.HANDLE_HELD_DAYS)
    Fingerprint.objects.create(user=row, kind="handle", mac=mac_of("handle", row.handle), until=until)
    addresses = {*EmailAddress.objects.filter(user=row, verified=True).values_list("email", flat=True), row.email}
    Fingerprint.objects.bulk_create(
        [Fingerprint(user=row, kind="address", mac=mac_of("address", email)) for email in sorted(addresses - {""})],
        ignore_conflicts=True,  # two spellings of one address
    )


def _empty(row: User, former: Former) -> None:
    """Empty the account's row, and delete what belongs to nobody else. Credentials end, also open sockets."""
    User.objects.filter(pk=row.pk).update(
        **_DEFAULTS,
        handle=former.new_handle,
        display_name=STORED_NAME,
        password=make_password(None),
        deleted_at=timezone.now(),
        last_login=None,
        old_enough_at=None,
        **dict.fromkeys(("is_active", "is_staff", "is_superuser", "signing_up"), False),
    )
    EmailAddress.objects.filter(user=row).delete()
    Creator.objects.filter(user=row).delete()
    end_credentials(row, "account_deleted", factors=True)
    # `str` of the account, and of what is named after it.
    LogEntry.objects.filter(object_repr__contains=f"(@{former.handle})").update(object_repr=f"@{former.new_handle}")
