"""Text that people typed, in templates: it keeps its own direction and turns nothing around it.

An element that holds such a text alone has `dir="auto"`; within a sentence it goes through `bdi`, and in a place for
plain text (an attribute, <title>, a mail) through `isolated`.
"""

from __future__ import annotations

from django import template
from django.utils.html import format_html
from django.utils.safestring import SafeString

from core import text

register = template.Library()


@register.filter
def bdi(typed: str) -> SafeString:
    """The text in an element of its own direction."""
    return format_html("<bdi>{}</bdi>", typed)


@register.filter
def isolated(typed: str) -> str:
    """The text between marks that keep its direction to itself, where it needs them."""
    return text.isolated(typed)


@register.filter
def shortened(typed: str, most: int) -> str:
    """At most so many characters as people see them, on one line; what is cut off ends in …"""
    seen = text.clusters(text.flat(typed))
    return "".join(seen) if len(seen) <= most else "".join(seen[: most - 1]).rstrip() + "…"
