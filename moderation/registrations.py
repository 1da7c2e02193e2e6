"""Registrations of trust and safety: what waits for staff in the admin, texts of official messages."""

from __future__ import annotations

from moderation import case_ledger_texts as _case_ledger_texts  # noqa: F401  # registers words of entries
from moderation import demo as _demo  # noqa: F401  # receives people's accounts_ready
from moderation import facts as _facts  # noqa: F401  # registers facts of retention
from moderation import ledger_texts as _ledger_texts  # noqa: F401
from moderation import line as _line  # noqa: F401  # registers checks of the ledger, and entries that parties do not read
from moderation import official_texts as _official_texts  # noqa: F401  # registers texts of official messages
from moderation import own_data as _own_data  # noqa: F401  # registers what is kept of a person
from moderation import told as _told  # noqa: F401  # registers its step after a restore
from moderation import waiting as _waiting  # noqa: F401  # registers cards of the index, and where moderators begin
from moderation.actions.account_deletion import case_notes, is_to_be_told, rename_in_cases
from moderation.actions.listed_words import find_words
from moderation.queries import staff as _staff  # noqa: F401  # registers listening in, and the bar of staff in rooms
from people.hooks import account_deleted, deletion_notes, polled, reasons_to_tell
from transcripts.hooks import line_confirmed

account_deleted.register("moderation")(rename_in_cases)
reasons_to_tell.register("moderation")(is_to_be_told)
deletion_notes.register("moderation")(case_notes)
line_confirmed.register("moderation.words")(find_words)
polled.register("moderation")(
    lambda: ("admin:moderation_live_parts", "admin:moderation_case_parts", "admin:moderation_review_parts")
)
