"""Entries as a person may read them: without those they are party to, as sentences."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from django.db.models import QuerySet
from django.utils.translation import gettext

from ledger.hooks import actor_names, entry_texts, hidden_entries
from ledger.models import Entry


def visible_entries(reader: int, rows: QuerySet[Entry] | None = None) -> QuerySet[Entry]:
    """Select the entries (of `rows`, by default of all) that this person may read, by the key of the account.

    It asks who is party to what, not for a permission: a superuser who is party reads as little as anybody.
    """
    rows = Entry.objects.all() if rows is None else rows
    for source in hidden_entries.values():
        hidden = source(reader)
        if hidden:
            rows = rows.exclude(hidden)
    return rows


@dataclass(frozen=True)
class EntryLine:
    """An entry as people read it: what was done, the actor's name ("" for the system), and when."""

    entry: Entry
    text: str
    actor: str

    @property
    def at(self) -> datetime:
        return self.entry.at


def entry_lines(entries: Iterable[Entry]) -> list[EntryLine]:
    """Word entries, in their order. Names of actors are read in one go."""
    entries = list(entries)
    names = names_of({entry.actor for entry in entries if entry.actor is not None})
    return [EntryLine(entry, text_of(entry), name_of(entry.actor, names)) for entry in entries]


def text_of(entry: Entry) -> str:
    """Word what an entry records, without actor and moment. A kind without words is its code, with spaces."""
    write = entry_texts.get(entry.kind)
    # A forged entry may hold anything.
    text = None if write is None or not isinstance(entry.data, dict) else write(entry)
    return text or entry.kind.replace("_", " ").capitalize()


def names_of(keys: set[int]) -> dict[int, str]:
    """Return the names of these actors, by key."""
    names: dict[int, str] = {}
    for source in actor_names.values() if keys else ():
        names |= source(keys)
    return names


def name_of(actor: int | None, names: dict[int, str]) -> str:
    """Return an actor's name, "" for the system; an account that is gone is named by its number."""
    if actor is None:
        return ""
    return names.get(actor) or gettext("account %(number)s") % {"number": actor}
