"""Times of room time on the page of an ended room."""

from django import template

register = template.Library()


@register.filter
def at(ms: int) -> str:
    """A moment as people read it: 1:23, or 1:02:03 from an hour on."""
    minutes, seconds = divmod(max(0, ms) // 1000, 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{seconds:02}" if hours else f"{minutes}:{seconds:02}"


@register.filter
def second(ms: int) -> str:
    """A moment as links have it: seconds with one decimal, a point whatever the language."""
    return f"{max(0, ms) / 1000:.1f}".removesuffix(".0")
