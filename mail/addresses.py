"""E-mail addresses in the form mail servers accept: ASCII, with the domain as the DNS has it."""

from __future__ import annotations

from email.utils import parseaddr

import idna
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.utils.translation import gettext_lazy as _

NOT_ASCII = _("Mail cannot be sent to this address: before the @ it has a letter that is not one of a–z.")
NO_DOMAIN = _("Mail cannot be sent to this address: there is no such name behind the @.")


def canonical_address(address: str) -> str:
    """Return the one spelling under which an address is stored and found: lower case, the domain in ASCII (IDNA 2008).

    `name@Müller.example` and `name@xn--mller-kva.example` are one mailbox. Text that is no address is returned as it
    is, in lower case. Raises ValidationError where no mail could be sent to it.
    """
    local, at, domain = address.strip().lower().rpartition("@")
    if not at:
        return domain
    if not local.isascii():
        raise ValidationError(NOT_ASCII, "not_ascii")
    return f"{local}@{_ascii(domain)}"


def validate_sendable(address: str) -> None:
    """Validate a form field: an address, and one to which mail can be sent. Raises ValidationError."""
    canonical_address(address)
    validate_email(address)


def lookup_address(text: str) -> str:
    """Return the spelling under which to look up an address; text to which no mail can be sent only in lower case."""
    try:
        return canonical_address(text)
    except ValidationError:
        return text.strip().lower()


def envelope_address(text: str) -> str:
    """Return the address in `Name <address>` for the SMTP envelope. Raises ValueError where a mail server cannot
    take it."""
    _name, address = parseaddr(text)
    local, at, domain = address.rpartition("@")
    if not (local and at and domain and local.isascii() and text.isprintable()):
        raise ValueError("no mail server takes this address")
    return f"{local}@{_in_dns(domain)}"


def _in_dns(domain: str) -> str:
    """Return a domain in ASCII. Raises IDNAError, which is a ValueError."""
    return domain if domain.isascii() else idna.encode(domain, uts46=True).decode()


def _ascii(domain: str) -> str:
    try:
        return _in_dns(domain)
    except idna.IDNAError as error:
        raise ValidationError(NO_DOMAIN, "no_domain") from error


SEES_ADDRESSES = "people.view_address"
