"""Canonical spellings of handles and passwords, whatever the device. Addresses: `mail.addresses`."""

from __future__ import annotations

import unicodedata

from core.text import nfc
from mail.addresses import lookup_address


def plain_handle(typed: str) -> str:
    """Return a handle as it is stored: without the @ that pages show, full-width letters as plain ones.

    The result may be invalid; the validator refuses it then.
    """
    return unicodedata.normalize("NFKC", typed).strip().removeprefix("@")


def plain_login(typed: str) -> str:
    """Return a handle or an address as typed at sign-in, in the spelling for comparison."""
    login = typed.strip()
    return lookup_address(login) if "@" in login[1:] else plain_handle(login).lower()


def password_spellings(typed: str | None) -> tuple[str, ...]:
    """Return the texts that may have been hashed for a password: normalised, and as typed where that differs."""
    if typed is None:
        return ()
    normal = nfc(typed)
    return (normal,) if normal == typed else (normal, typed)
