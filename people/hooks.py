"""Hooks of people: links to where a person is live. Apps above know that, and register a finder."""

from collections.abc import Callable
from dataclasses import dataclass

from django.http import HttpRequest

from core.hooks import Hook
from people.models import User


@dataclass(frozen=True)
class LiveLink:
    """A room that the reader may enter."""

    url: str
    title: str


Finder = Callable[[User, HttpRequest], LiveLink | None]
"""Takes a person, and the request of the reader for whom the link is."""

live_links: Hook[Finder] = Hook("people.live_links")


def live_link(user: User, request: HttpRequest) -> LiveLink | None:
    """The first link that a finder knows; None where this person is live in no room that the reader may enter."""
    return next((link for find in live_links.values() if (link := find(user, request)) is not None), None)
