"""Ledger entries of people as words, and names of actors."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from django.utils import timezone
from django.utils.dateparse import parse_datetime
from django.utils.formats import date_format
from django.utils.translation import gettext, ngettext

from ledger.hooks import actor_names, entry_texts
from ledger.models import Entry
from people.models import Sanction, User


@actor_names.register("people")
def names(keys: Collection[int]) -> dict[int, str]:
    """Return display name and handle of these accounts, by key."""
    return {user.pk: str(user) for user in User.objects.filter(pk__in=keys).only("display_name", "handle")}


@entry_texts.register("sanction_imposed")
def sanction_imposed(entry: Entry) -> str | None:
    kind, until = kind_of(entry), entry.data.get("until")
    if kind is None or not isinstance(until, str):
        return None
    end = moment_of(until)
    if end is None:
        return gettext("Imposed for good: %(kind)s") % {"kind": kind}
    day = date_format(timezone.localtime(end), "j F Y")
    return gettext("Imposed until %(day)s: %(kind)s") % {"kind": kind, "day": day}


@entry_texts.register("sanction_lifted")
def sanction_lifted(entry: Entry) -> str | None:
    kind = kind_of(entry)
    return None if kind is None else gettext("Lifted: %(kind)s") % {"kind": kind}


@entry_texts.register("account_closed")
def account_closed(entry: Entry) -> str:
    return gettext("Account closed")


@entry_texts.register("account_reopened")
def account_reopened(entry: Entry) -> str:
    return gettext("Account reopened")


@entry_texts.register("sessions_ended")
def sessions_ended(entry: Entry) -> str | None:
    number = entry.data.get("sessions")
    if not isinstance(number, int):
        return None
    text = ngettext(
        "Signed out everywhere: %(number)s session ended", "Signed out everywhere: %(number)s sessions ended", number
    )
    return text % {"number": number}


@entry_texts.register("roles_changed")
def roles_changed(entry: Entry) -> str:
    signs = (("+", "given"), ("-", "taken"))
    words = [f"{sign} {role}" for sign, part in signs for role in entry.data.get(part) or ()]
    return gettext("Roles changed: %(roles)s") % {"roles": ", ".join(words)}


@entry_texts.register("own_data_asked")
def own_data_asked(entry: Entry) -> str:
    return gettext("Own data asked for")


@entry_texts.register("own_data_made")
def own_data_made(entry: Entry) -> str:
    return gettext("Download of own data made")


@entry_texts.register("own_data_downloaded")
def own_data_downloaded(entry: Entry) -> str:
    return gettext("Own data downloaded")


def kind_of(entry: Entry) -> str | None:
    """Return the name of the kind of sanction that an entry is about; None for one that is not known."""
    kind = entry.data.get("kind")
    return str(Sanction.Kind(kind).label) if kind in Sanction.Kind.values else None


def moment_of(text: str) -> datetime | None:
    """Parse an aware moment; None for an empty or other text."""
    try:
        moment = parse_datetime(text)
    except ValueError:
        return None
    return moment if moment is not None and timezone.is_aware(moment) else None
