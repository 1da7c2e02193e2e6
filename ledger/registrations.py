"""Registrations of the ledger: its own kind of entry as words, and what is asked first after a restore."""

from __future__ import annotations

from django.utils.translation import ngettext

from ledger import anchors as _anchors  # noqa: F401  # registers its check after a restore
from ledger.actions import ERASED
from ledger.hooks import entry_texts
from ledger.models import Entry


@entry_texts.register(ERASED)
def texts_erased(entry: Entry) -> str | None:
    entries = entry.data.get("entries")
    if not isinstance(entries, list):
        return None
    text = ngettext("Texts of %(number)s entry erased", "Texts of %(number)s entries erased", len(entries))
    return text % {"number": len(entries)}
