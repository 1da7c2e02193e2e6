"""Template filters for room time, on the replay page."""

from django import template

from rooms.rules.room_time import clock_time

register = template.Library()


@register.filter
def at(ms: int) -> str:
    """Format ms of room time for reading: 1:23, or 1:02:03 from an hour on."""
    return clock_time(max(0, ms))


@register.filter
def second(ms: int) -> str:
    """Format ms of room time for links: seconds with at most one decimal, and a point in every language."""
    return f"{max(0, ms) / 1000:.1f}".removesuffix(".0")
