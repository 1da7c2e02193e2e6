"""Template filters for room time, on the replay page."""

from django import template

register = template.Library()


@register.filter
def at(ms: int) -> str:
    """Format ms of room time for reading: 1:23, or 1:02:03 from an hour on."""
    minutes, seconds = divmod(max(0, ms) // 1000, 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{seconds:02}" if hours else f"{minutes}:{seconds:02}"


@register.filter
def second(ms: int) -> str:
    """Format ms of room time for links: seconds with at most one decimal, and a point in every language."""
    return f"{max(0, ms) / 1000:.1f}".removesuffix(".0")
