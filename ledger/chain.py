"""How an entry is sealed: pure functions of values.

Who can write the database but does not know LEDGER_KEY cannot make a seal. Who knows both can compute the whole chain
anew, but then it no longer has the heads that were anchored outside (`ledger/anchors.py`).
"""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

GENESIS = "0" * 64  # the seal before the first
LONGEST = 200  # characters of a text among an entry's values: an id, a code, a checksum; words go into `texts`


class NotPlain(ValueError):
    """A value that would not come back from the database as it went in, or that looks like somebody's words."""


def plain(value: Any) -> Any:
    """The value, if it is made of texts, whole numbers, booleans and nothing else; refused otherwise.

    JSON in PostgreSQL rewrites fractions and refuses NUL, so that a seal over them would break by itself.
    """
    if value is None or isinstance(value, bool | int):
        return value
    if isinstance(value, str):
        if len(value) > LONGEST or "\0" in value or any(0xD800 <= ord(letter) <= 0xDFFF for letter in value):
            raise NotPlain(f"a ledger value is at most {LONGEST} characters of plain text: {value[:40]!r}…")
        return str(value)
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    if isinstance(value, Mapping) and all(isinstance(name, str) for name in value):
        return {plain(name): plain(item) for name, item in value.items()}
    raise NotPlain(f"a ledger value cannot be a {type(value).__name__}: write dates and fractions as text")


def canonical(value: Any) -> bytes:
    """One way to write a plain value, whatever order it came in."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=True, allow_nan=False).encode()


def stamp(at: datetime) -> str:
    """A moment as the seal sees it: UTC, to the microsecond, whatever zone the database connection is in."""
    return at.astimezone(UTC).isoformat(timespec="microseconds")


def sign(key: str, purpose: str, value: Any) -> str:
    """HMAC-SHA256 in hex. The purpose keeps a seal of one thing from standing for another."""
    return hmac.new(key.encode(), purpose.encode() + b"\0" + canonical(value), hashlib.sha256).hexdigest()


def seal(
    key: str,
    *,
    seq: int,
    kind: str,
    subject: str,
    actor: int | None,
    at: datetime,
    data: Mapping[str, Any],
    commitments: Mapping[str, str],
    previous: str,
) -> str:
    """The seal of one entry: over everything in it, and over the seal of the one before."""
    return sign(key, "entry", [seq, kind, subject, actor, stamp(at), data, commitments, previous])


def commit(salt: str, text: str) -> str:
    """A commitment: says nothing about the text to whom lacks the salt, and fits no other text."""
    return hashlib.sha256(salt.encode() + b"\0" + text.encode()).hexdigest()
