"""Labels that tell people of the same name apart. A display name is not an identity; the handle is."""

from __future__ import annotations

import unicodedata
from collections import Counter
from collections.abc import Mapping

import regex

from core.text import flat, is_visible, nfc

NOBODY = "Unknown person"
_UNREAD = regex.compile(r"[^\p{L}\p{N}\p{M}\p{So}]|\p{DI}", regex.V1)


def printable(name: str) -> str:
    """Return a name that can be printed on one line, whatever it contains."""
    return flat(name) if is_visible(name) else NOBODY


def same_look(name: str) -> str:
    """Return a key that is equal for names that read alike: without capitals, width, signs and spaces."""
    wide = unicodedata.normalize("NFKC", nfc(printable(name))).casefold()
    return str(_UNREAD.sub("", unicodedata.normalize("NFKC", wide)))


def labels(people: Mapping[str, str]) -> dict[str, str]:
    """Return a label for each person, by handle: the name where no other reads like it, else with the handle.

    `people` is handle → name. A name with an @ in it could be taken for another person's label, so it never stands
    alone.
    """
    alike = Counter(same_look(name) for name in people.values())
    return {
        handle: printable(name) if _is_own(name, alike) else f"{printable(name)} (@{handle})"
        for handle, name in people.items()
    }


def _is_own(name: str, alike: Counter[str]) -> bool:
    key = same_look(name)
    return key != "" and alike[key] == 1 and not any(sign in name for sign in "@\uff20\ufe6b")
