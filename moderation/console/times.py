"""Room time as moderators type and read it: 14:22, 1:02:03, 83.5; in the code milliseconds."""

from __future__ import annotations

import re

TYPED = re.compile(r"(?:(?:(\d{1,3}):)?(\d{1,3}):)?(\d{1,6}(?:[.,]\d{1,3})?)", re.ASCII)


def read_time(text: str) -> int | None:
    """Read a typed room time in milliseconds; None for what is none."""
    match = TYPED.fullmatch(text.strip())
    if match is None:
        return None
    hours, minutes, seconds = match.groups()
    return round((int(hours or 0) * 3600 + int(minutes or 0) * 60 + float(seconds.replace(",", "."))) * 1000)


def write_time(milliseconds: int) -> str:
    """Write a room time so that `read_time` reads it back: "12:31", "1:02:31", with tenths where there are some."""
    whole, rest = divmod(milliseconds, 1000)
    minutes, seconds = divmod(whole, 60)
    hours, minutes = divmod(minutes, 60)
    text = f"{hours}:{minutes:02}:{seconds:02}" if hours else f"{minutes}:{seconds:02}"
    return f"{text}.{rest:03}".rstrip("0") if rest else text
