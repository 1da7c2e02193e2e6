"""Accounts, sanctions, the creator group, sessions and API tokens."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Callable
from datetime import datetime
from typing import TYPE_CHECKING, Any, ClassVar

from asgiref.sync import sync_to_async
from django.contrib.auth.models import AbstractBaseUser, BaseUserManager, PermissionsMixin
from django.contrib.postgres.indexes import GinIndex, OpClass
from django.contrib.postgres.search import SearchVector
from django.contrib.sessions.base_session import AbstractBaseSession
from django.core.validators import RegexValidator
from django.db import models, transaction
from django.db.models import F, Q
from django.db.models.functions import Lower
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from core.fields import TypedColumn
from core.text import ABOUT, LABEL, NAME, PLAN, REASON, WAVE, clusters, isolated, nfc
from mail.addresses import canonical_address, lookup_address
from people.data_export import DataExport as DataExport
from people.handles import PATTERN
from people.profile_takedown import ProfileTakedown as ProfileTakedown
from people.spelling import password_spellings, plain_handle

if TYPE_CHECKING:
    from people.sessions import SessionStore

HANDLE = RegexValidator(
    rf"^{PATTERN}\Z",
    _("Use 3 to 30 letters and digits; “-” and “_” may stand between them."),
)
# Dark enough for white initials at AA (4.5:1), in both themes.
COLOURS = ("#b0481c", "#2e6f8e", "#7a4fa0", "#4b7a3a", "#a03b5d", "#80651c", "#33746a", "#5050a0")


def picture_name(_user: object, _filename: str) -> str:
    """Return a random file name, which reveals neither the person nor the name of the uploaded file."""
    return f"people/{secrets.token_hex(16)}.webp"


def new_ident() -> str:
    """Return a session's public name: 128 random bits that grant no access."""
    return secrets.token_hex(16)


class UserManager(BaseUserManager["User"]):
    """The manager of accounts, with look-ups by handle and address.

    Django's `iexact` compares upper case, for which there is no index; `first()` sorts by key, for which PostgreSQL may
    read all rows.
    """

    def with_handle(self, handle: str) -> models.QuerySet[User]:
        """Select the account with a handle, by index `user_handle_unique`; capitals do not matter."""
        return self.annotate(low_handle=Lower("handle")).filter(low_handle=handle.lower())

    def with_email(self, email: str) -> models.QuerySet[User]:
        """Select the account with an address, by index `user_email_unique`; none for an empty one."""
        return self.exclude(email="").annotate(low_email=Lower("email")).filter(low_email=lookup_address(email))

    def by_handle(self, handle: str, **facts: object) -> User | None:
        """Return the account with this handle if it matches the filter `facts`."""
        return next(iter(self.with_handle(handle).filter(**facts)), None)

    def by_email(self, email: str, **facts: object) -> User | None:
        """Return the account with this address if it matches the filter `facts`."""
        return next(iter(self.with_email(email).filter(**facts)), None)

    def get_by_natural_key(self, username: str | None) -> User:
        return self.with_handle(username or "").get()

    def create_user(self, handle: str, email: str, password: str | None = None, **extra: Any) -> User:
        extra["display_name"] = NAME.clean(extra.get("display_name", handle))
        user = self.model(handle=plain_handle(handle), email=canonical_address(email), **extra)
        user.set_password(password)
        user.save(using=self._db)
        return user

    def create_superuser(self, handle: str, email: str, password: str | None = None, **extra: Any) -> User:
        """Make a superuser. The address counts as confirmed: the command needs access to the machine."""
        from people.actions.account import set_email

        user = self.create_user(handle, email, password, is_staff=True, is_superuser=True, **extra)
        return set_email(user, user.email, confirmed=True)


class User(AbstractBaseUser, PermissionsMixin):
    """An account. `handle` names it in addresses and events; `display_name` is what people read."""

    class MessagesFrom(models.TextChoices):
        EVERYONE = "everyone", _("Everyone")
        KNOWN = "known", _("People I follow or wrote to, or who invited me to a room I joined")
        NOBODY = "nobody", _("Nobody")

    handle = models.CharField(_("handle"), max_length=30, unique=True, validators=[HANDLE])
    display_name = TypedColumn(_("name"), text=NAME)
    email = models.EmailField(_("e-mail address"), blank=True)  # empty once another account confirmed it
    picture = models.ImageField(_("picture"), upload_to=picture_name, blank=True)
    about = TypedColumn(_("about you"), text=ABOUT, blank=True)
    language = models.CharField(
        _("language"), max_length=8, default="en", choices=[("en", "English"), ("nl", "Nederlands")]
    )
    time_zone = models.CharField(_("time zone"), max_length=64, default="UTC")
    messages_from = models.CharField(
        _("who may write to you"), max_length=8, choices=MessagesFrom.choices, default=MessagesFrom.KNOWN
    )
    invitations_by_mail = models.BooleanField(_("invitations also by e-mail"), default=False)
    # Counts as an anonymous listener to everybody but a removal, unless they chose otherwise at a room's door.
    listens_unseen = models.BooleanField(_("listen unseen"), default=False)
    uses_keys = models.BooleanField(_("keys for acts in a room"), default=True)
    is_active = models.BooleanField(_("active"), default=True)
    is_staff = models.BooleanField(_("staff"), default=False)
    date_joined = models.DateTimeField(_("joined"), default=timezone.now)
    # The date of birth is checked at sign-up and not kept: only that it was checked, and what was agreed to.
    old_enough_at = models.DateTimeField(_("age checked"), null=True, blank=True)
    rules_version = models.CharField(_("rules agreed to"), max_length=20, blank=True)
    # Signed up, but the address is not confirmed: nobody sees the account, and it is deleted after SIGNUP_DAYS.
    signing_up = models.BooleanField(_("signing up"), default=False, editable=False)
    # When the account's address was first confirmed. Credentials made before may be somebody else's.
    proved_at = models.DateTimeField(_("address first confirmed"), null=True, blank=True, editable=False)
    # Sign-ins begun, and links that reset the password sent, before this moment are void.
    credentials_at = models.DateTimeField(_("credentials ended"), null=True, blank=True, editable=False)

    USERNAME_FIELD = "handle"
    EMAIL_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = ["email"]

    objects: ClassVar[UserManager] = UserManager()

    # Called before any permission is granted; people/staff_gate.py sets it for each session.
    step_check: Callable[[], bool] | None = None
    # The stored key of the session that changes the password, which alone is kept.
    keep_session = ""
    _made_unusable = False

    class Meta:
        verbose_name = _("person")
        verbose_name_plural = _("people")
        permissions = [
            ("view_address", _("Can see and search e-mail addresses")),
            ("close_account", _("Can close and open accounts")),
            ("end_sessions", _("Can end sessions and tokens of others")),
            ("change_role", _("Can give and take away roles of staff")),
        ]
        constraints = [
            models.UniqueConstraint(Lower("handle"), name="user_handle_unique"),
            models.UniqueConstraint(Lower("email"), condition=~Q(email=""), name="user_email_unique"),
            models.CheckConstraint(condition=~Q(display_name=""), name="user_has_a_name"),
        ]
        indexes = [
            # For searches by the beginning of a handle, or of the words of a name (rooms/queries/invitable.py).
            models.Index(OpClass(Lower("handle"), name="text_pattern_ops"), name="user_handle_beginning"),
            GinIndex(SearchVector("display_name", config="simple"), name="user_name_words"),
        ]

    def __str__(self) -> str:
        return f"{isolated(self.display_name)} (@{self.handle})"

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Save. A new password ends the account's credentials, whoever set it: the owner, staff, or a command."""
        new_password = getattr(self, "_password", None) is not None or self._made_unusable  # as Django notes it
        changed = new_password and not self._state.adding
        with transaction.atomic():
            super().save(*args, **kwargs)
            if changed:
                from people.actions.credentials import password_changed

                password_changed(self, self.keep_session)
        self._made_unusable = False

    def set_password(self, raw_password: str | None) -> None:
        """Hash a password in normalisation form C, so that it is the same on every keyboard."""
        super().set_password(None if raw_password is None else nfc(raw_password))

    def check_password(self, raw_password: str | None) -> bool:
        """Check a password, also as typed: hashes from before passwords were normalised."""
        right = super().check_password
        return any(right(spelling) for spelling in password_spellings(raw_password))

    async def acheck_password(self, raw_password: str | None) -> bool:
        return await sync_to_async(self.check_password)(raw_password)

    def set_unusable_password(self) -> None:
        super().set_unusable_password()
        self._made_unusable = True

    @property
    def has_fresh_step(self) -> bool:
        """Whether this object was loaded for a session that used a second step lately; required for every
        permission."""
        return self.step_check is not None and self.step_check()

    def has_perm(self, perm: str, obj: Any = None) -> bool:
        return self.has_fresh_step and super().has_perm(perm, obj)

    def has_module_perms(self, app_label: str) -> bool:
        return self.has_fresh_step and super().has_module_perms(app_label)

    async def ahas_perm(self, perm: str, obj: Any = None) -> bool:
        return await sync_to_async(self.has_perm)(perm, obj)

    async def ahas_module_perms(self, app_label: str) -> bool:
        return await sync_to_async(self.has_module_perms)(app_label)

    def get_full_name(self) -> str:
        return self.display_name

    def get_short_name(self) -> str:
        return self.display_name

    def get_absolute_url(self) -> str:
        return reverse("social:profile", args=[self.handle])

    @property
    def colour(self) -> str:
        """The colour behind the initials: always the same for a handle, and no personal data."""
        return COLOURS[hashlib.sha256(self.handle.lower().encode()).digest()[0] % len(COLOURS)]

    @property
    def initials(self) -> str:
        words = [word for word in self.display_name.split() if word[0].isalnum()]
        ends = [words[0], words[-1]] if len(words) > 1 else [(words or [self.handle])[0]]
        letters = [clusters(word)[0] for word in ends]
        return "".join(letters).upper()

    @property
    def picture_url(self) -> str:
        """The uploaded picture's address; "" where there is none and pages draw initials on `colour`."""
        return self.picture.url if self.picture else ""


class Creator(models.Model):
    """A person's membership in, or request for, the creator group: only its members open rooms.

    Waiting: `asked_at` set, `added_at` empty. Member: `added_at` set. The queue is ordered by `asked_at`.
    """

    user = models.OneToOneField(User, models.CASCADE, related_name="creator", verbose_name=_("person"))
    asked_at = models.DateTimeField(_("asked"), null=True, blank=True)
    plan = TypedColumn(_("what they plan"), text=PLAN, blank=True)
    added_at = models.DateTimeField(_("added"), null=True, blank=True)
    added_by = models.ForeignKey(
        User, models.SET_NULL, null=True, blank=True, related_name="+", verbose_name=_("added by")
    )
    wave = TypedColumn(_("wave"), text=WAVE, blank=True)

    class Meta:
        verbose_name = _("creator")
        verbose_name_plural = _("creator group")
        constraints = [
            models.CheckConstraint(
                condition=Q(asked_at__isnull=False) | Q(added_at__isnull=False), name="creator_asked_or_added"
            )
        ]
        indexes = [models.Index(fields=["asked_at", "id"], condition=Q(added_at=None), name="creator_queue")]

    def __str__(self) -> str:
        return str(self.user)

    @property
    def is_member(self) -> bool:
        return self.added_at is not None


class SanctionManager(models.Manager["Sanction"]):
    def in_force(self, at: datetime | None = None) -> models.QuerySet[Sanction]:
        """Select sanctions in force at a moment (default: now): begun, not over, not lifted."""
        return self.filter(Sanction.holds(at or timezone.now()))


class Sanction(models.Model):
    """A decision's effect on an account. `ends_at` is empty for one without an end."""

    class Kind(models.TextChoices):
        WARNING = "warning", _("warning")
        NO_STAGE = "no_stage", _("no place on any stage")
        NO_HOSTING = "no_hosting", _("may not open rooms")
        SUSPENDED = "suspended", _("account suspended")

    user = models.ForeignKey(User, models.PROTECT, related_name="sanctions", verbose_name=_("person"))
    kind = models.CharField(_("kind"), max_length=12, choices=Kind.choices)
    begins_at = models.DateTimeField(_("from"), default=timezone.now)
    ends_at = models.DateTimeField(_("until (empty: for good)"), null=True, blank=True)
    why = TypedColumn(_("why"), text=REASON)
    imposed_by = models.ForeignKey(
        User, models.SET_NULL, null=True, blank=True, related_name="+", verbose_name=_("imposed by")
    )
    lifted_at = models.DateTimeField(_("lifted"), null=True, blank=True)
    lifted_by = models.ForeignKey(
        User, models.SET_NULL, null=True, blank=True, related_name="+", verbose_name=_("lifted by")
    )

    objects: ClassVar[SanctionManager] = SanctionManager()

    class Meta:
        verbose_name = _("sanction")
        verbose_name_plural = _("sanctions")
        permissions = [("lift_sanction", _("Can lift sanctions"))]
        constraints = [
            models.CheckConstraint(
                condition=Q(ends_at=None) | Q(ends_at__gt=F("begins_at")), name="sanction_ends_after_it_begins"
            ),
            models.CheckConstraint(condition=~Q(why=""), name="sanction_has_a_reason"),
        ]
        indexes = [models.Index(fields=["user", "kind"], condition=Q(lifted_at=None), name="sanction_not_lifted")]

    def __str__(self) -> str:
        return f"{self.user_id} {self.kind}"

    @staticmethod
    def holds(at: datetime, prefix: str = "") -> Q:
        """Return the condition of sanctions in force; `prefix` is the path from another table ("sanctions__")."""
        return Q(**{f"{prefix}lifted_at__isnull": True, f"{prefix}begins_at__lte": at}) & (
            Q(**{f"{prefix}ends_at__isnull": True}) | Q(**{f"{prefix}ends_at__gt": at})
        )


class Session(AbstractBaseSession):
    """A browser's session. `session_key` is a hash of the key in the cookie (`people/sessions.py`): reading this
    table lets nobody sign in."""

    # Stays the same when a sign-in or password change gives the browser a new key: sockets refer to it.
    ident = models.CharField(max_length=32, unique=True, default=new_ident, editable=False)
    user = models.ForeignKey(User, models.CASCADE, null=True, related_name="sessions", verbose_name=_("person"))
    created_at = models.DateTimeField(_("signed in"), default=timezone.now)
    seen_at = models.DateTimeField(_("last seen"), default=timezone.now)
    device = models.CharField(_("device"), max_length=200, blank=True)  # the browser's own name of itself

    class Meta:
        verbose_name = _("session")
        verbose_name_plural = _("sessions")

    @classmethod
    def get_session_store_class(cls) -> type[SessionStore]:
        from people.sessions import SessionStore

        return SessionStore


class ApiToken(models.Model):
    """A key for a person's programs. Only its hash is stored: the key is shown once, when it is made."""

    user = models.ForeignKey(User, models.CASCADE, related_name="api_tokens", verbose_name=_("person"))
    name = TypedColumn(_("name"), text=LABEL)
    hash = models.CharField(_("hash"), max_length=64, unique=True)  # SHA-256, in hex
    prefix = models.CharField(_("begins with"), max_length=12)
    created_at = models.DateTimeField(_("made"), default=timezone.now)
    expires_at = models.DateTimeField(_("works until"))
    last_used_at = models.DateTimeField(_("last used"), null=True, blank=True)

    class Meta:
        verbose_name = _("API token")
        verbose_name_plural = _("API tokens")

    def __str__(self) -> str:
        return f"{isolated(self.name)} ({self.prefix}…)"
