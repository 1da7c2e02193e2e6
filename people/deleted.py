"""Deleted accounts: what is drawn instead of their name, and what is still kept of them, for how long and why."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.crypto import salted_hmac
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from core.fields import TypedColumn
from mail.addresses import lookup_address

HANDLE_START = "deleted-"  # of handles that nobody signs up with
WRITTEN_NAME = "Deleted person"  # in texts that have no reader yet: the room's log, quoted lines
# In the table of accounts: nobody can type it, because cleaning removes the invisible joiner (`core.text`).
STORED_NAME = f"{WRITTEN_NAME}\u2060"
_SALT = "people.deleted"


def shown_name() -> str:
    """The name of every deleted account, in the language that is active."""
    return gettext("Deleted person")


def refuse_reserved(handle: str) -> None:
    """Refuse handles like those of deleted accounts; a validator of `User.handle`."""
    if handle.lower().startswith(HANDLE_START):
        raise ValidationError(_("This handle is kept free. Choose another one."), "reserved")


class NameColumn(TypedColumn):
    """The column of a name. Wherever a deleted account's is read, by whatever query, it is `shown_name`."""

    def from_db_value(self, value: str | None, *_about: object) -> str | None:
        return shown_name() if value == STORED_NAME else value

    def pre_save(self, model_instance: Any, add: bool) -> Any:
        return STORED_NAME if model_instance.deleted_at is not None else super().pre_save(model_instance, add)


class DeletedAccount(models.Model):
    """Work that is left after a deletion; the sweep deletes the row once nothing is (`people/actions/forgetting.py`).

    `email` and `language` are kept while a person is to be told of a case that concerns them or that they reported, or
    may appeal, and until the last mail to them is out; `picture` is the name of a file that is still to be deleted.
    """

    user = models.OneToOneField(
        settings.AUTH_USER_MODEL, models.CASCADE, related_name="deletion", verbose_name=_("person")
    )
    email = models.EmailField(_("e-mail address"), blank=True)
    language = models.CharField(_("language"), max_length=8)
    picture = models.CharField(_("picture"), max_length=100, blank=True)
    at = models.DateTimeField(_("deleted"), default=timezone.now)

    class Meta:
        verbose_name = _("address of a deleted account")
        verbose_name_plural = _("addresses of deleted accounts")
        default_permissions = ()

    def __str__(self) -> str:
        return str(self.user_id)


class Fingerprint(models.Model):
    """Keyed hash of a handle or address that a deleted account had, by which a new account cannot have it.

    A handle is free again at `until`, an address at once; both not while a suspension of the account stands.
    """

    class Kind(models.TextChoices):
        HANDLE = "handle", _("handle")
        ADDRESS = "address", _("e-mail address")

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.CASCADE, related_name="fingerprints", verbose_name=_("person")
    )
    kind = models.CharField(_("kind"), max_length=7, choices=Kind.choices)
    mac = models.CharField(_("keyed hash"), max_length=64)  # HMAC-SHA-256, in hex
    until = models.DateTimeField(_("until"), null=True, blank=True)

    class Meta:
        verbose_name = _("fingerprint of a deleted account")
        verbose_name_plural = _("fingerprints of deleted accounts")
        default_permissions = ()
        constraints = [
            models.UniqueConstraint(fields=["user", "kind", "mac"], name="fingerprint_once"),
            models.CheckConstraint(
                condition=Q(kind="handle", until__isnull=False) | Q(kind="address", until=None),
                name="fingerprint_until",
            ),
        ]
        indexes = [models.Index(fields=["mac"], name="fingerprint_mac")]

    def __str__(self) -> str:
        return f"{self.kind} of {self.user_id}"


def mac_of(kind: str, text: str) -> str:
    """Return the keyed hash of a handle or address, however it is written."""
    plain = text.lower() if kind == Fingerprint.Kind.HANDLE else lookup_address(text)
    return salted_hmac(f"{_SALT}.{kind}", plain, algorithm="sha256").hexdigest()
