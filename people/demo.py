"""Accounts of the demo. Their password differs in each installation, so that a public demo is not open to everybody.

Demo staff have a second step whose codes the start page for development shows (DEV_KEY). It is marked as the demo's,
and removed on a site without that key.
"""

import base64
import functools
import hashlib
import hmac
import time
from dataclasses import dataclass

from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal.auth import format_hotp_value, hotp_value
from allauth.mfa.utils import decrypt, encrypt
from django.conf import settings
from django.contrib.auth.hashers import check_password, make_password
from django.contrib.auth.models import Group
from django.db import transaction
from django.dispatch import Signal
from django.utils import timezone

from core.text import ABOUT, NAME
from people.actions.account import set_email
from people.creators.actions import add_creators
from people.groups import AUDITORS, CHILD_SAFETY, MODERATORS, SENIORS, ensure_groups
from people.models import Creator, User

# Sent by `manage.py seed_demo` with `people` (handle → User); receivers above make what belongs to them.
accounts_ready = Signal()


@dataclass(frozen=True)
class Account:
    """A demo account to make."""

    role: str
    handle: str
    name: str
    about: str = ""
    language: str = "en"
    group: str = ""
    follows: tuple[str, ...] = ()

    @property
    def staff(self) -> bool:
        """Whether this account has rights of staff, and so needs a second step."""
        return bool(self.group) or self.handle == ADMIN


@dataclass(frozen=True)
class ShownAccount:
    """A demo account for the terminal and the start page; `password` is empty where its owner chose another one."""

    account: Account
    name: str
    password: str
    code: str


HOST, COHOST, SPEAKERS, ADMIN = "marijke", "daan", ("youssef", "priya"), "sanne"
ACCOUNTS = (
    Account("host", HOST, "Marijke Visser", "Asks, listens, asks on.", "nl", "", (COHOST, *SPEAKERS)),
    Account("co-host", COHOST, "Daan Bakker", "Keeps the time and the tea warm.", "nl", "", (HOST,)),
    Account("speaker", SPEAKERS[0], "Youssef El Amrani", "Builds shops by day.", "en", "", (HOST, SPEAKERS[1])),
    Account("speaker", SPEAKERS[1], "Priya Nair", "Reads old books aloud.", "en", "", (HOST, SPEAKERS[0])),
    Account("listener", "lotte", "Lotte de Jong", "", "nl", "", (HOST,)),
    Account("listener", "bram", "Bram Vos", "Phones for half their price: write to me before they are gone!", "nl"),
    Account("moderator", "femke", "Femke Smit", "", "nl", MODERATORS),
    Account("senior", "willem", "Willem Dekker", "", "nl", SENIORS),
    Account("senior", "aisha", "Aisha Haddad", "", "en", SENIORS),
    Account("auditor", "ruben", "Ruben Peeters", "", "nl", AUDITORS),
    Account("child safety", "noor", "Noor van Dijk", "", "nl", CHILD_SAFETY),
    Account("admin", ADMIN, "Sanne Mulder", "", "nl"),
)


def password() -> str:
    """Return the password of all demo accounts: derived from the secret key, so different in each installation."""
    digest = hmac.digest(settings.SECRET_KEY.encode(), b"stamtafel demo accounts", hashlib.sha256)
    letters = base64.b32encode(digest).decode().lower()
    return f"tafel-{letters[:4]}-{letters[4:8]}-{letters[8:12]}"


@transaction.atomic
def ensure_people() -> dict[str, User]:
    """Make the demo accounts that are missing; existing ones keep name, settings and password."""
    ensure_groups()
    hashed = make_password(password())
    people = {account.handle: ensure_account(account, hashed) for account in ACCOUNTS}
    ensure_second_steps(people)
    host = people[HOST]
    if not Creator.objects.filter(user=host, added_at__isnull=False).exists():
        add_creators([host], by=people[ADMIN], wave="Demo")
    Creator.objects.get_or_create(
        user=people[SPEAKERS[0]], defaults={"asked_at": timezone.now(), "plan": "A round of shopkeepers, every Monday."}
    )
    return people


def ensure_account(account: Account, hashed: str) -> User:
    """Return a demo account, made where it is missing."""
    user = User.objects.by_handle(account.handle)
    if user is not None:
        return user
    user = User.objects.create(
        handle=account.handle,
        password=hashed,
        display_name=NAME.clean(account.name),
        about=ABOUT.clean(account.about, required=False),
        language=account.language,
        time_zone="Europe/Amsterdam",
        old_enough_at=timezone.now(),
        rules_version=settings.RULES_VERSION,
        is_staff=account.staff,
        is_superuser=account.handle == ADMIN,
    )
    if account.group:
        user.groups.add(Group.objects.get(name=account.group))
    return set_email(user, f"{account.handle}@stamtafel.example", confirmed=True)


DEMO_ONLY = "demo_only"  # key in an authenticator's data that marks it as the demo's
PERIOD = 30  # seconds that a code is valid, as in allauth


def totp_secret(handle: str) -> str:
    """Return the secret of a demo account's codes: derived from the secret key, so different in each installation."""
    made_from = b"stamtafel demo codes\0" + handle.encode()
    return base64.b32encode(hmac.digest(settings.SECRET_KEY.encode(), made_from, hashlib.sha256)[:20]).decode()


def ensure_second_steps(people: dict[str, User]) -> None:
    """Give demo staff a second step where the start page can show its codes, and remove it everywhere else."""
    ours = Authenticator.objects.filter(**{f"data__{DEMO_ONLY}": True})
    if not settings.DEV_KEY:
        ours.delete()
        return
    for account in ACCOUNTS:
        secret = totp_secret(account.handle)
        if not account.staff or ours.filter(user=people[account.handle], data__secret=encrypt(secret)).exists():
            continue
        ours.filter(user=people[account.handle]).delete()  # of another secret key
        if not Authenticator.objects.filter(user=people[account.handle], type=Authenticator.Type.TOTP).exists():
            data = {"secret": encrypt(secret), DEMO_ONLY: True}
            Authenticator.objects.create(user=people[account.handle], type=Authenticator.Type.TOTP, data=data)


def code_seconds() -> int:
    """Return the seconds for which the present codes are still valid."""
    return PERIOD - int(time.time()) % PERIOD


def shown_accounts() -> list[ShownAccount]:
    """List the demo accounts that exist, each with the password where it was not changed, and the present code."""
    people = {user.handle: user for user in User.objects.filter(handle__in=[account.handle for account in ACCOUNTS])}
    codes = Authenticator.objects.filter(user__in=people.values(), **{f"data__{DEMO_ONLY}": True})
    secrets = {step.user_id: decrypt(step.data["secret"]) for step in codes}
    word = password()
    # Checking a password is slow on purpose, and most accounts have the very same hash.
    known = functools.cache(lambda hashed: check_password(word, hashed))
    counter = int(time.time()) // PERIOD
    return [
        ShownAccount(
            account,
            user.display_name,
            word if known(user.password) else "",
            format_hotp_value(hotp_value(secrets[user.pk], counter)) if user.pk in secrets else "",
        )
        for account in ACCOUNTS
        if (user := people.get(account.handle)) is not None
    ]
