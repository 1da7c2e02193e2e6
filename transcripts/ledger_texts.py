"""Ledger entries of transcripts as words."""

from __future__ import annotations

from django.utils.translation import ngettext

from ledger.hooks import entry_texts
from ledger.models import Entry


@entry_texts.register("transcript_retried")
def transcript_retried(entry: Entry) -> str | None:
    number = entry.data.get("pieces")
    if not isinstance(number, int):
        return None
    text = ngettext("Transcript tried again: %(number)s piece", "Transcript tried again: %(number)s pieces", number)
    return text % {"number": number}
