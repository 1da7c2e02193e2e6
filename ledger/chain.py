"""Seals of entries: pure functions of values.

Without LEDGER_KEY nobody can make a seal, not even with write access to the database. With both, the whole chain can be
computed anew, but then it no longer has the heads that were anchored outside (`ledger/anchors.py`).
"""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

GENESIS = "0" * 64  # `previous` of the first entry
LONGEST = 200  # characters of a text in `data`: an id, a code, a checksum; people's words belong in `texts`


class NotSealable(ValueError):
    """A value that PostgreSQL's JSON would not return unchanged, or that is long enough to be somebody's words."""


def sealable(value: Any) -> Any:
    """Return a value made of null, texts, whole numbers, booleans, lists and objects; raises NotSealable for any other.

    JSON in PostgreSQL rewrites fractions and refuses NUL, so that a seal over them would not verify.
    """
    if value is None or isinstance(value, bool | int):
        return value
    if isinstance(value, str):
        if len(value) > LONGEST or "\0" in value or any(0xD800 <= ord(letter) <= 0xDFFF for letter in value):
            raise NotSealable(f"a ledger value is at most {LONGEST} characters of plain text: {value[:40]!r}…")
        return str(value)
    if isinstance(value, list | tuple):
        return [sealable(item) for item in value]
    if isinstance(value, Mapping) and all(isinstance(name, str) for name in value):
        return {sealable(name): sealable(item) for name, item in value.items()}
    raise NotSealable(f"a ledger value cannot be a {type(value).__name__}: write dates and fractions as text")


def canonical_json(value: Any) -> bytes:
    """Encode a sealable value as JSON bytes that do not depend on the order of its keys."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=True, allow_nan=False).encode()


def stamp(at: datetime) -> str:
    """Return a moment as it is sealed: UTC, to the microsecond, whatever zone the database connection is in."""
    return at.astimezone(UTC).isoformat(timespec="microseconds")


def sign(key: str, purpose: str, value: Any) -> str:
    """Return HMAC-SHA256 in hex. `purpose` keeps a signature of one kind from being used as one of another."""
    return hmac.new(key.encode(), purpose.encode() + b"\0" + canonical_json(value), hashlib.sha256).hexdigest()


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
    """Compute the seal of one entry, over everything in it and the seal of the entry before."""
    return sign(key, "entry", [seq, kind, subject, actor, stamp(at), data, commitments, previous])


def commit(salt: str, text: str) -> str:
    """Return a commitment, SHA-256 in hex: it reveals nothing about the text without the salt, and fits no other
    text."""
    return hashlib.sha256(salt.encode() + b"\0" + text.encode()).hexdigest()
