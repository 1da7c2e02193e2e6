"""Hooks of the ledger: what apps above know of entries that the ledger itself does not."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping

from django.db.models import Q

from core.hooks import Hook
from ledger.models import Entry

LineCheck = Callable[[], Iterable[str]]
"""Compares rows with entries and yields a sentence for each act that has no entry, or an entry that has no act."""

HiddenEntries = Callable[[int], Q]
"""Given the key of a reader, returns the entries that this person must not read, as a party to what they are about. An
empty Q hides nothing."""

EntryText = Callable[[Entry], str | None]
"""Returns an entry of this kind as words without its actor and moment; None where its values are not as expected."""

ActorNames = Callable[[Collection[int]], Mapping[int, str]]
"""Given keys of actors, returns their names; those without an account are left out."""

line_checks: Hook[LineCheck] = Hook("ledger.line_checks")
hidden_entries: Hook[HiddenEntries] = Hook("ledger.hidden_entries")
entry_texts: Hook[EntryText] = Hook("ledger.entry_texts")  # by kind of entry
actor_names: Hook[ActorNames] = Hook("ledger.actor_names")
