"""Changes that people make to their own account: name, text, language, time zone, settings, picture, address."""

from __future__ import annotations

from collections.abc import Mapping
from typing import BinaryIO, cast

from allauth.account.models import EmailAddress
from django.core.exceptions import ValidationError
from django.core.files.base import ContentFile
from django.core.files.uploadedfile import UploadedFile
from django.db import connection, transaction
from django.utils import timezone

from core import quotas
from core.after_commit import after_commit
from core.throttle import Limit
from mail.addresses import canonical_address
from people.actions.credentials import end_credentials
from people.models import ProfileTakedown, User
from people.pictures import square_webp
from people.refusals import PeopleRefused
from people.signals import profile_changed
from people.takedowns import taken_down

PICTURES = quotas.Quota("pictures", "PICTURES_AT_ONCE")
UPLOADS = Limit("picture", per_minute=6, burst=10, refused=PeopleRefused)
NAMES = Limit("name", per_minute=6, burst=10, refused=PeopleRefused)
SETTINGS = ("messages_from", "invitations_by_mail", "listens_unseen", "uses_keys")
PROFILE_FIELDS = ("display_name", "about", "language", "time_zone", *SETTINGS)


def update_profile(user: User, **changes: str | bool) -> User:
    """Change some of PROFILE_FIELDS; `clean_fields` cleans their texts (`core.text`).

    Raises ValidationError by field, too_fast for a new name (every room that the person is in is told), and
    profile_taken_down for a name or text while moderators have removed it; nothing is written then.
    """
    unknown = set(changes) - set(PROFILE_FIELDS)
    if unknown:
        raise ValidationError(dict.fromkeys(sorted(unknown), "This cannot be changed here."))
    for name, value in changes.items():
        setattr(user, name, value)
    user.clean_fields(exclude=[field.name for field in User._meta.fields if field.name not in changes])
    renamed = "display_name" in changes and not User.objects.filter(pk=user.pk, display_name=user.display_name).exists()
    if renamed:
        NAMES.check(str(user.pk))
    with transaction.atomic():
        lock_open(user.pk)
        _refuse_taken_down(user, changes)
        user.save(update_fields=list(changes))
        if renamed:
            profile_is_changed(user.pk)
    return user


def lock_open(user_pk: int) -> User:
    """Lock an account, and load it. Raises account_deleted where its owner deleted it meanwhile."""
    row = User.objects.select_for_update(no_key=True).get(pk=user_pk)
    if row.deleted_at is not None:
        raise PeopleRefused("account_deleted")
    return row


def _refuse_taken_down(user: User, changes: Mapping[str, object]) -> None:
    """Raise profile_taken_down for another name or text of a locked account while moderators have removed it."""
    if not {"display_name", "about"} & set(changes):
        return
    if ProfileTakedown.Kind.PROFILE not in taken_down(user):
        return
    now = User.objects.get(pk=user.pk)
    if any(getattr(now, name) != getattr(user, name) for name in ("display_name", "about") if name in changes):
        raise PeopleRefused("profile_taken_down")


def profile_is_changed(user_pk: int, *, taken_down: bool = False) -> None:
    """Send `people.signals.profile_changed` when the caller's transaction commits."""
    after_commit(profile_changed.send, User, user_pk=user_pk, taken_down=taken_down)


def set_picture(user: User, upload: UploadedFile[bytes]) -> User:
    """Replace the picture. The old file is deleted once the change is committed; a failed change leaves no new file
    behind. Raises picture_taken_down while moderators have removed it, and what `square_webp` raises."""
    UPLOADS.check(str(user.pk))
    if not connection.in_atomic_block:
        connection.close()  # decoding may have to wait, and others need the connection
    with quotas.held(PICTURES, quotas.person_key(user.pk), PeopleRefused):
        data = square_webp(cast(BinaryIO, upload), upload.size or 0)
    return replace_picture(user, ContentFile(data))


def remove_picture(user: User) -> User:
    """Remove the picture; pages show initials on a colour instead."""
    return replace_picture(user, None)


def replace_picture(user: User, content: ContentFile[bytes] | None) -> User:
    storage = User._meta.get_field("picture").storage
    new = ""
    try:
        with transaction.atomic():
            row = lock_open(user.pk)
            if ProfileTakedown.Kind.PICTURE in taken_down(row):
                raise PeopleRefused("picture_taken_down")
            old = row.picture.name
            if content is None:
                row.picture = ""
            else:
                row.picture.save("picture.webp", content, save=False)
                new = row.picture.name or ""
            row.save(update_fields=["picture"])
            profile_is_changed(row.pk)
            if old:
                transaction.on_commit(lambda: storage.delete(old), robust=True)
    except BaseException:
        if new:
            storage.delete(new)
        raise
    user.picture = row.picture
    return user


@transaction.atomic
def set_email(user: User, email: str, confirmed: bool = False) -> User:
    """Give an account another address, as staff and commands do; people themselves use allauth's mails.

    Earlier addresses are deleted, so that a link sent to one of them cannot change the account back, and the account's
    credentials end. Raises ValidationError where no mail could be sent to the new one, account_deleted.
    """
    lock_open(user.pk)
    user.email = canonical_address(email)
    if confirmed and user.proved_at is None:
        user.proved_at = timezone.now()
    user.save(update_fields=["email", "proved_at"])
    if EmailAddress.objects.filter(user=user).exclude(email=user.email).delete()[0]:
        end_credentials(user, "address_changed")
    if user.email:
        EmailAddress.objects.update_or_create(
            user=user, email=user.email, defaults={"primary": True, "verified": confirmed}
        )
    return user


def lock_claimants(email: str, user: User) -> None:
    """Lock every account that gave an address, and this one, in key order: two that confirm it at once take turns."""
    claimants = {
        user.pk,
        *EmailAddress.objects.filter(email=email).values_list("user", flat=True),
        *User.objects.with_email(email).values_list("pk", flat=True),
    }
    list(User.objects.select_for_update(no_key=True).filter(pk__in=claimants).order_by("pk").values_list("pk"))


@transaction.atomic
def release_unconfirmed(email: str, besides: User) -> int:
    """Take an address away from accounts that never confirmed it. Returns from how many."""
    if EmailAddress.objects.filter(email=email, verified=True).exclude(user=besides).exists():
        return 0
    EmailAddress.objects.filter(email=email).exclude(user=besides).delete()
    others = list(User.objects.with_email(email).exclude(pk=besides.pk).order_by("pk"))
    for other in others:
        other.email = ""
        other.save(update_fields=["email"])
        end_credentials(other, "address_lost", factors=True)
    return len(others)
