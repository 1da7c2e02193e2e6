"""Hooks of people: links to where a person is live. Apps above know that, and register a finder."""

from collections.abc import Callable
from dataclasses import dataclass

from core.hooks import Hook
from people.models import User


@dataclass(frozen=True)
class LiveLink:
    """A room that may be shown to everybody."""

    url: str
    title: str


Finder = Callable[[User], LiveLink | None]
live_links: Hook[Finder] = Hook("people.live_links")


def live_link(user: User) -> LiveLink | None:
    """The first link that a finder knows; None where this person is not live."""
    return next((link for find in live_links.values() if (link := find(user)) is not None), None)
