"""One spelling for handles and passwords, however a device writes them. Addresses: `mail.addresses`."""

from __future__ import annotations

import unicodedata

from core.text import nfc
from mail.addresses import lookup_address


def plain_handle(typed: str) -> str:
    """A handle as it is kept: without the @ before it that pages show, in plain letters where a keyboard has wide ones.

    What is no handle afterwards is for the validator to refuse.
    """
    return unicodedata.normalize("NFKC", typed).strip().removeprefix("@")


def plain_login(typed: str) -> str:
    """A handle or an address as somebody signs in with it, to be compared."""
    login = typed.strip()
    return lookup_address(login) if "@" in login[1:] else plain_handle(login).lower()


def password_spellings(typed: str | None) -> tuple[str, ...]:
    """The ways in which a password may have been hashed: normalised, and as typed where that differs."""
    if typed is None:
        return ()
    normal = nfc(typed)
    return (normal,) if normal == typed else (normal, typed)
