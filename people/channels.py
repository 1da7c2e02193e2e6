"""Names of the Redis channels of people's pages."""

from __future__ import annotations

from core.bus import key


def person_channel(user_pk: int) -> str:
    """The channel of one person's pages, in whatever room they are."""
    return key(f"person:{user_pk}")


def people_channel() -> str:
    """The channel that every hub hears: one message with something for each of many people."""
    return key("people")
