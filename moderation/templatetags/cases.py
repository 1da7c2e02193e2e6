"""Template filters of cases: room time, places on a bar, words of measures."""

from __future__ import annotations

from django import template
from django.utils.translation import gettext, ngettext

from moderation.console.times import write_time
from moderation.measures import MEASURES
from moderation.models import Measure
from rooms.rules.room_time import clock_time

register = template.Library()


@register.filter
def room_time(milliseconds: int | None) -> str:
    """Room time for reading: 12:31."""
    return "" if milliseconds is None else clock_time(milliseconds)


@register.filter
def exact_time(milliseconds: int | None) -> str:
    """Room time for a field, with tenths."""
    return "" if milliseconds is None else write_time(milliseconds)


@register.filter
def share_of(milliseconds: int, whole: int) -> str:
    """A place on a bar that is `whole` ms long, in percent, as SVG takes it in every language."""
    return f"{min(100.0, 100 * max(0, milliseconds) / max(1, whole)):.2f}%"


@register.filter
def width_of(milliseconds: int, whole: int) -> str:
    """A width on a bar that is `whole` ms long, in percent; never too narrow to be seen."""
    return f"{max(0.4, min(100.0, 100 * milliseconds / max(1, whole))):.2f}%"


@register.filter
def minus(one: int, other: int) -> int:
    return one - other


@register.filter
def measure_words(measure: Measure, language: str) -> str:
    """A measure and until when, in a language."""
    return MEASURES[measure.kind].describe(measure, language)


@register.filter
def proposed_words(measure: Measure) -> str:
    """A measure that waits for a second moderator: its end is not known yet."""
    kind = MEASURES[measure.kind]
    if not kind.takes_days:
        return kind.words()
    if measure.days is None:
        return gettext("%(measure)s, for good") % {"measure": kind.words()}
    text = ngettext("%(measure)s, %(days)s day", "%(measure)s, %(days)s days", measure.days)
    return text % {"measure": kind.words(), "days": measure.days}
