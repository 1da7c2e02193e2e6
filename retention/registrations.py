"""Registrations of retention: with the ledger, and with what is applied after a restore."""

from retention import ledger_texts as _ledger_texts  # noqa: F401  # registers its check and its words
from retention import receipts as _receipts  # noqa: F401  # registers its step after a restore
