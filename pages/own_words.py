"""The operator's own words on /privacy/ and /contact/: text files, of which headings, lists and addresses are shown.

Blocks are apart by an empty line. `# Text` is a heading, lines that begin with `- ` are a list; all else is shown as it
is typed.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from django.utils.translation import get_language

HEADING = re.compile(r"#+\s+(.+)")
ITEM = re.compile(r"[-*]\s+(.+)")


@dataclass(frozen=True)
class Block:
    """A paragraph of one text, a heading, or a list (`kind`: "text", "heading", "list")."""

    kind: str
    lines: tuple[str, ...]


def own_words(texts: Mapping[str, str]) -> list[Block]:
    """Return the operator's text in the active language as blocks; [] where there is none."""
    text = texts.get((get_language() or "en").partition("-")[0], "")
    return [block for part in re.split(r"\n\s*\n", text) for block in blocks(part.strip())]


def blocks(part: str) -> list[Block]:
    """Return the blocks between two empty lines: a heading may have its text right under it."""
    lines = [line.strip() for line in part.splitlines() if line.strip()]
    if not lines:
        return []
    if heading := HEADING.fullmatch(lines[0]):
        return [Block("heading", (heading[1],)), *blocks("\n".join(lines[1:]))]
    items = [ITEM.fullmatch(line) for line in lines]
    if all(items):
        return [Block("list", tuple(item[1] for item in items if item))]
    return [Block("text", ("\n".join(lines),))]
