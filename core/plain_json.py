"""Strict JSON: shallow, no duplicate keys, finite numbers, and text that PostgreSQL and UTF-8 can hold."""

from __future__ import annotations

import json
import math
from typing import Any, NoReturn

DEEPEST = 16  # lists and objects inside each other
LARGEST = 2**63  # PostgreSQL's bigint: no number of ours is larger


class NotPlain(ValueError):
    """Text that is no JSON, or JSON beyond these limits; our clients send neither."""


def load(text: str | bytes) -> Any:
    """Parse a text. Raises NotPlain, also for text that is no JSON."""
    try:
        value = json.loads(text, object_pairs_hook=_each_once, parse_constant=_no_constant)
    except NotPlain:
        raise
    except (ValueError, RecursionError) as error:  # a number of thousands of digits is a ValueError too
        raise NotPlain("no JSON") from error
    check(value)
    return value


def is_plain_text(text: str) -> bool:
    """Whether a text has neither NUL, which PostgreSQL refuses, nor half of a surrogate pair, which UTF-8 does."""
    return "\x00" not in text and not any("\ud800" <= letter <= "\udfff" for letter in text)


def _each_once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise NotPlain("a key twice")
    return found


def _no_constant(name: str) -> NoReturn:
    raise NotPlain(f"{name} is no JSON")


def check(value: Any) -> None:
    """Check every value, without recursion because the sender chooses the depth. Raises NotPlain."""
    left = [(value, 0)]
    while left:
        found, depth = left.pop()
        if depth > DEEPEST:
            raise NotPlain("too deep")
        if isinstance(found, dict):
            left += [(key, depth) for key in found]
            left += [(each, depth + 1) for each in found.values()]
        elif isinstance(found, list):
            left += [(each, depth + 1) for each in found]
        elif isinstance(found, str):
            if not is_plain_text(found):
                raise NotPlain("text that cannot be kept")
        elif isinstance(found, float):
            if not math.isfinite(found):
                raise NotPlain("a number without end")
        elif isinstance(found, int) and abs(found) >= LARGEST:
            raise NotPlain("a number too large")
