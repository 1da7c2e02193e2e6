"""Ledger entries of rooms as words."""

from __future__ import annotations

from django.template.defaultfilters import filesizeformat
from django.utils.translation import gettext

from ledger.hooks import entry_texts
from ledger.models import Entry
from rooms.models import Room


@entry_texts.register("host_download")
def host_download(entry: Entry) -> str | None:
    size = entry.data.get("bytes")
    return gettext("Everything downloaded, %(size)s") % {"size": filesizeformat(size)} if is_number(size) else None


@entry_texts.register("replay_announced")
def replay_announced(entry: Entry) -> str | None:
    policy = policy_of(entry)
    return None if policy is None else gettext("Publication announced: %(policy)s") % {"policy": policy}


@entry_texts.register("replay_narrowed")
def replay_narrowed(entry: Entry) -> str | None:
    policy = policy_of(entry)
    return None if policy is None else gettext("Publication made narrower: %(policy)s") % {"policy": policy}


@entry_texts.register("replay_withdrawn")
def replay_withdrawn(entry: Entry) -> str:
    return gettext("Publication withdrawn")


@entry_texts.register("recording_retried")
def recording_retried(entry: Entry) -> str | None:
    number = entry.data.get("attempts")
    text = gettext("Recording tried again, failed attempts before: %(number)s")
    return text % {"number": number} if is_number(number) else None


@entry_texts.register("recordings_adopted")
def recordings_adopted(entry: Entry) -> str:
    return gettext("Another folder declared to be that of all recordings")


def policy_of(entry: Entry) -> str | None:
    """Return the name of an entry policy; None for one that is not known."""
    policy = entry.data.get("policy")
    return str(Room.EntryPolicy(policy).label) if policy in Room.EntryPolicy.values else None


def is_number(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)
