"""Filters for text that people typed: it keeps its own direction and does not reorder the text around it.

An element that holds such a text alone has `dir="auto"`; within a sentence it goes through `bdi`, and where only plain
text can stand (an attribute, <title>, a mail) through `isolated`.
"""

from __future__ import annotations

from django import template
from django.utils.html import format_html
from django.utils.safestring import SafeString

from core import text

register = template.Library()


@register.filter
def bdi(typed: str) -> SafeString:
    """Wrap a text in <bdi>, an element with a direction of its own."""
    return format_html("<bdi>{}</bdi>", typed)


@register.filter
def isolated(typed: str) -> str:
    """Wrap a text in directional isolates (FSI … PDI) where it needs them."""
    return text.isolated(typed)


@register.filter
def shortened(typed: str, most: int) -> str:
    """Cut a text to one line of at most `most` grapheme clusters; a text that was cut ends in “…”."""
    seen = text.clusters(text.flat(typed))
    return "".join(seen) if len(seen) <= most else "".join(seen[: most - 1]).rstrip() + "…"
