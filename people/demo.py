"""The people of the demo. Their password is this installation's own: a demo on the open net is no open door."""

import base64
import hashlib
import hmac
from dataclasses import dataclass

from django.conf import settings
from django.contrib.auth.hashers import make_password
from django.contrib.auth.models import Group
from django.db import transaction
from django.dispatch import Signal
from django.utils import timezone

from people.actions.creators import add_creators
from people.actions.profile import set_email
from people.groups import AUDITORS, MODERATORS, SENIORS, ensure_groups
from people.models import Creator, Follow, User

# Sent by `manage.py seed_demo` with `people` (handle → User); receivers above make what belongs to them.
accounts_ready = Signal()


@dataclass(frozen=True)
class Account:
    role: str
    handle: str
    name: str
    about: str = ""
    language: str = "en"
    group: str = ""
    follows: tuple[str, ...] = ()


HOST, COHOST, SPEAKERS, ADMIN = "marijke", "daan", ("youssef", "priya"), "sanne"
ACCOUNTS = (
    Account("host", HOST, "Marijke Visser", "Asks, listens, asks on.", "nl", "", (COHOST, *SPEAKERS)),
    Account("co-host", COHOST, "Daan Bakker", "Keeps the time and the tea warm.", "nl", "", (HOST,)),
    Account("speaker", SPEAKERS[0], "Youssef El Amrani", "Builds shops by day.", "en", "", (HOST, SPEAKERS[1])),
    Account("speaker", SPEAKERS[1], "Priya Nair", "Reads old books aloud.", "en", "", (HOST, SPEAKERS[0])),
    Account("listener", "lotte", "Lotte de Jong", "", "nl", "", (HOST,)),
    Account("moderator", "femke", "Femke Smit", "", "nl", MODERATORS),
    Account("senior", "willem", "Willem Dekker", "", "nl", SENIORS),
    Account("senior", "aisha", "Aisha Haddad", "", "en", SENIORS),
    Account("auditor", "ruben", "Ruben Peeters", "", "nl", AUDITORS),
    Account("admin", ADMIN, "Sanne Mulder", "", "nl"),
)


def password() -> str:
    """The same for all demo accounts of one installation, and different in every other: made from its secret key."""
    digest = hmac.digest(settings.SECRET_KEY.encode(), b"stamtafel demo accounts", hashlib.sha256)
    letters = base64.b32encode(digest).decode().lower()
    return f"tafel-{letters[:4]}-{letters[4:8]}-{letters[8:12]}"


@transaction.atomic
def ensure_people() -> dict[str, User]:
    """Every demo account, made where it is missing; who is there already keeps name, settings and password."""
    ensure_groups()
    hashed = make_password(password())
    people = {account.handle: ensure_account(account, hashed) for account in ACCOUNTS}
    for account in ACCOUNTS:
        for handle in account.follows:
            Follow.objects.get_or_create(follower=people[account.handle], followed=people[handle])
    host = people[HOST]
    if not Creator.objects.filter(user=host, added_at__isnull=False).exists():
        add_creators([host], by=people[ADMIN], wave="Demo")
    Creator.objects.get_or_create(
        user=people[SPEAKERS[0]], defaults={"asked_at": timezone.now(), "plan": "A round of shopkeepers, every Monday."}
    )
    return people


def ensure_account(account: Account, hashed: str) -> User:
    user = User.objects.filter(handle__iexact=account.handle).first()
    if user is not None:
        return user
    user = User.objects.create(
        handle=account.handle,
        password=hashed,
        display_name=account.name,
        about=account.about,
        language=account.language,
        time_zone="Europe/Amsterdam",
        old_enough_at=timezone.now(),
        rules_version=settings.RULES_VERSION,
        is_staff=bool(account.group) or account.handle == ADMIN,
        is_superuser=account.handle == ADMIN,
    )
    if account.group:
        user.groups.add(Group.objects.get(name=account.group))
    return set_email(user, f"{account.handle}@stamtafel.example", confirmed=True)
