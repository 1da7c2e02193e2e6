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
from moderation.queries import staff as _staff  # noqa: F401  # registers listening in, and the bar of staff in rooms
