"""Registrations of retention with the ledger."""

from retention import ledger_texts as _ledger_texts  # noqa: F401  # registers its check and its words
