"""Room time as people read it."""

from __future__ import annotations


def clock_time(milliseconds: int) -> str:
    """Format room time: "12:31", or "1:02:31" from an hour on."""
    minutes, seconds = divmod(milliseconds // 1000, 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{seconds:02}" if hours else f"{minutes}:{seconds:02}"
