"""Hooks of people: links to where a person is live, and to the room they open next, for which apps above register a
finder; and the pages that stay open to suspended accounts."""

from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import datetime

from django.http import HttpRequest

from core.hooks import Hook
from people.models import User


@dataclass(frozen=True)
class LiveLink:
    """A room that the reader may enter."""

    url: str
    title: str


@dataclass(frozen=True)
class ComingLink(LiveLink):
    """A room that the reader may enter once it opens, at `starts_at`."""

    starts_at: datetime


Finder = Callable[[User, HttpRequest], LiveLink | None]
"""Takes a person, and the request of the reader for whom the link is."""

live_links: Hook[Finder] = Hook("people.live_links")
ComingFinder = Callable[[User, HttpRequest], ComingLink | None]
"""Takes a person, and the request of the reader for whom the link is."""

coming_links: Hook[ComingFinder] = Hook("people.coming_links")


def live_link(user: User, request: HttpRequest) -> LiveLink | None:
    """The first link that a finder knows; None where this person is live in no room that the reader may enter."""
    return next((link for find in live_links.values() if (link := find(user, request)) is not None), None)


def coming_link(user: User, request: HttpRequest) -> ComingLink | None:
    """The first link that a finder knows; None where this person has prepared no room that the reader may enter."""
    return next((link for find in coming_links.values() if (link := find(user, request)) is not None), None)


UrlNames = Callable[[], Collection[str]]
"""Returns names of URLs with their namespaces ("moderation:decision")."""

open_when_suspended: Hook[UrlNames] = Hook("people.open_when_suspended")
"""Pages that answer a suspended account as any other: its decisions, appeals, own data, deletion."""
