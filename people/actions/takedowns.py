"""Take down a person's picture, or their name and text, and put it back. `moderation` calls these; it checks who may.

A picture is moved to another, random name outside the folder that is served, so that its old address is dead where
nginx serves the files too; it is there for who reviews the decision, and is moved back by the undo.
"""

from __future__ import annotations

import logging
import secrets
from datetime import timedelta

from django.core.files.storage import Storage
from django.db import transaction
from django.utils import timezone

from core.after_commit import after_commit
from core.batches import run_each
from ledger.actions import record
from people.actions.account import profile_is_changed
from people.models import ProfileTakedown, User
from people.standing import lock_standing

log = logging.getLogger(__name__)
WITHDRAWN = "withdrawn"  # folder below MEDIA_ROOT, which no address leads to
UNNEEDED = timedelta(days=1)  # so old is a file that no transaction will need any more


def take_down_picture(user: User, by: User | None, once: str = "") -> ProfileTakedown:
    """Remove an account's picture; its owner cannot choose another one while the takedown stands.

    With `once`, the name of a decision, the takedown that was imposed under it is returned instead, also one that was
    lifted since.
    """
    with transaction.atomic():
        row, before, standing = _locked(user, ProfileTakedown.Kind.PICTURE, once)
        if before is not None:
            return before
        values = {"picture": row.picture.name or "", "kept_as": ""}
        if standing is not None:
            values = {"picture": standing.picture, "kept_as": standing.kept_as}
        elif row.picture:
            values["kept_as"] = _move(str(row.picture.name), f"{WITHDRAWN}/{secrets.token_hex(16)}.webp")
            row.picture = ""
            row.save(update_fields=["picture"])
        return _impose(row, ProfileTakedown.Kind.PICTURE, by, once, **values)


def take_down_profile(user: User, by: User | None, once: str = "") -> ProfileTakedown:
    """Remove an account's name, for which its handle is shown, and its text. As `take_down_picture`."""
    with transaction.atomic():
        row, before, standing = _locked(user, ProfileTakedown.Kind.PROFILE, once)
        if before is not None:
            return before
        source = row if standing is None else standing
        values = {"display_name": source.display_name, "about": source.about}
        if row.deleted_at is not None:
            values = {"display_name": "", "about": ""}
        elif standing is None:
            row.display_name, row.about = row.handle, ""
            row.save(update_fields=["display_name", "about"])
        return _impose(row, ProfileTakedown.Kind.PROFILE, by, once, **values)


def put_back_profile(takedown: ProfileTakedown, by: User | None) -> bool:
    """Lift a takedown of either kind; what it removed is as before once none of its kind stands. Returns whether it
    stood."""
    with transaction.atomic():
        lock_standing(takedown.user_id)
        row = ProfileTakedown.objects.select_for_update(of=("self",)).get(pk=takedown.pk)
        if row.lifted_at is not None:
            return False
        row.lifted_at, row.lifted_by = timezone.now(), by
        row.save(update_fields=["lifted_at", "lifted_by"])
        others = ProfileTakedown.objects.filter(user=row.user_id, kind=row.kind, lifted_at=None)
        owner = User.objects.get(pk=row.user_id)
        if not others.exists() and owner.deleted_at is None:
            _restore(owner, row)
        profile_is_changed(row.user_id)
        values = {"takedown": row.pk, "kind": row.kind}
        record("profile_put_back", f"person:{row.user_id}", None if by is None else by.pk, values)
    return True


def forget_taken_down(user_pk: int) -> None:
    """Erase what takedowns removed from a deleted account, in the caller's transaction; the rows stay."""
    rows = ProfileTakedown.objects.filter(user=user_pk)
    for name in set(rows.exclude(kept_as="").values_list("kept_as", flat=True)):
        after_commit(_storage().delete, name)  # if that fails, `remove_left_pictures` does it
    rows.update(display_name="", about="", picture="", kept_as="")


def remove_left_pictures() -> None:
    """Delete files that a process did not delete because it was killed: at addresses of pictures that were taken down,
    and withdrawn ones that no takedown needs."""
    standing = ProfileTakedown.objects.filter(lifted_at=None).exclude(kept_as="")
    people = set(standing.order_by().values_list("user", flat=True))
    run_each(sorted(people), _delete_served, "deleting a removed picture")
    storage = _storage()
    names = [f"{WITHDRAWN}/{name}" for name in storage.listdir(WITHDRAWN)[1]] if storage.exists(WITHDRAWN) else []
    kept = set(ProfileTakedown.objects.filter(lifted_at=None).values_list("kept_as", flat=True))
    old = timezone.now() - UNNEEDED
    left = [name for name in names if name not in kept and storage.get_modified_time(name) < old]
    run_each(left, storage.delete, "deleting a withdrawn picture")


def _delete_served(user_pk: int) -> None:
    """Delete the file at the old address of a picture that is taken down, with its account locked."""
    with transaction.atomic():
        lock_standing(user_pk)
        row = ProfileTakedown.objects.filter(user=user_pk, lifted_at=None).exclude(kept_as="").first()
        if row is not None:
            _storage().delete(row.picture)  # one that is gone already is no error


def _storage() -> Storage:
    return User._meta.get_field("picture").storage


def _locked(user: User, kind: str, once: str) -> tuple[User, ProfileTakedown | None, ProfileTakedown | None]:
    """Lock an account. Returns it, the takedown of this kind with this name, and the oldest that stands."""
    lock_standing(user.pk)
    rows = ProfileTakedown.objects.filter(user=user, kind=kind).order_by("pk")
    before = rows.filter(once=once).first() if once else None
    return User.objects.get(pk=user.pk), before, rows.filter(lifted_at=None).first()


def _impose(row: User, kind: str, by: User | None, once: str, **values: str) -> ProfileTakedown:
    made = ProfileTakedown.objects.create(user=row, kind=kind, by=by, once=once, **values)
    profile_is_changed(row.pk, taken_down=kind == ProfileTakedown.Kind.PROFILE)
    about = {"takedown": made.pk, "kind": kind}
    record("profile_taken_down", f"person:{row.pk}", None if by is None else by.pk, about)
    return made


def _restore(user: User, row: ProfileTakedown) -> None:
    if row.kind == ProfileTakedown.Kind.PICTURE:
        user.picture = _move(row.kept_as, row.picture) if row.kept_as else ""
        user.save(update_fields=["picture"])
    else:
        user.display_name, user.about = row.display_name, row.about
        user.save(update_fields=["display_name", "about"])


def _move(old: str, new: str) -> str:
    """Copy a file to a new name, and delete the old one when the transaction commits. Returns the new name, or "" where
    there is no such file.

    A copy whose transaction fails stays under a name that nobody knows, or under the one that it will have.
    """
    storage = _storage()
    try:
        with storage.open(old) as source:
            if not storage.exists(new):
                storage.save(new, source)
    except FileNotFoundError:
        log.error("the picture %s is gone", old)
        return ""
    after_commit(storage.delete, old)
    return new
