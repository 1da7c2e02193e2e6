"""Template filters of the queue."""

from __future__ import annotations

from django import template

from moderation.console.case_page import title_of
from moderation.models import Case

register = template.Library()


@register.filter
def case_title(case: Case) -> str:
    """A case by what it is about, in the active language."""
    return title_of(case)
