"""Addresses that people type into the form of a report."""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import unquote, urlsplit

from people.handles import PATTERN, read_handle

_ROOM = re.compile(r"/(?:r|rooms)/([a-z0-9]{1,16})(?:/.*)?")
_PERSON = re.compile(rf"/people/@?({PATTERN})(?:/.*)?")
_MESSAGE = re.compile(rf"/messages/@?({PATTERN})/(?:([0-9]{{1,18}})/.*)?")
_ANCHOR = re.compile(r"m([0-9]{1,18})")
_SLUG = re.compile(r"[a-z0-9]{1,16}")


@dataclass(frozen=True)
class Target:
    """Subject that an address names: a room by its slug, a person by handle, or a message by sender and key.
    `elsewhere`: an address of another site."""

    slug: str = ""
    handle: str = ""
    message: int | None = None
    elsewhere: bool = False


def read_target(text: str, host: str) -> Target:
    """Read an address of this site (`host`), whole or without its beginning, a handle, or a room's short address."""
    text = text.strip()
    if "/" not in text:
        handle = read_handle(text) or ""
        return Target(slug=text if _SLUG.fullmatch(text) else "", handle=handle)
    try:
        parts = urlsplit(text if text.startswith("/") or "://" in text else f"https://{text}")
        named = (parts.netloc or host).rpartition("@")[2].lower()
    except ValueError:
        return Target()
    if named != host.lower():
        return Target(elsewhere=True)
    path = unquote(parts.path)
    if match := _ROOM.fullmatch(path):
        return Target(slug=match[1])
    if match := _PERSON.fullmatch(path):
        return Target(handle=match[1])
    if match := _MESSAGE.fullmatch(path):
        anchor = _ANCHOR.fullmatch(parts.fragment)
        number = match[2] or (anchor[1] if anchor else "")
        return Target(handle=match[1], message=int(number) if number else None)
    return Target()
