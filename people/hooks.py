"""Hooks of people: links to where a person is live, and to the room they open next, for which apps above register a
finder; the pages that stay open to suspended accounts, and those that scripts ask for; what apps keep of a person, and
what they do when an account is deleted."""

from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from django.http import HttpRequest
from django.urls import Resolver404, resolve

from core.hooks import Hook
from ledger.actions import Act
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

polled: Hook[UrlNames] = Hook("people.polled")
"""Pages that a script asks for again and again, whether or not anybody is there: they end no pause of staff."""


def is_named(path: str, pages: Hook[UrlNames]) -> bool:
    """Whether a path leads to one of the pages that apps registered."""
    try:
        name = resolve(path).view_name
    except Resolver404:
        return False
    return any(name in names() for names in pages.values())


Content = bytes | Path | dict[str, Any] | Iterable[Any] | None
"""Content of a file: bytes, the path of a file to copy, or what is written as JSON, with moments in UTC (a long list as
an iterator); None where it is gone meanwhile, and no file is written."""


@dataclass(frozen=True)
class OwnFile:
    """One file of an own-data download: its name in the ZIP, and in the active language what it is.

    `read` is called when it is the file's turn. Where `room` is given, the copy of that room must not have been purged
    by then: `read` looks, and a later purge has the download made again without it.
    """

    name: str
    about: str
    read: Callable[[], Content]
    room: int | None = None


OwnData = Callable[[User], Iterable[OwnFile]]
"""Yields the files of what an app keeps of a person, in the order in which they are read: nothing of others beyond what
this person saw, and nothing that a page keeps from them (who blocks them, who reported them)."""

own_data: Hook[OwnData] = Hook("people.own_data")


@dataclass(frozen=True)
class Former:
    """An account that is being deleted: its key, the handle and name that it had, and the handle that it has now."""

    pk: int
    handle: str
    name: str
    new_handle: str


account_leaves: Hook[Callable[[int], None]] = Hook("people.account_leaves")
"""Runs in the transaction of a deletion, before the account is locked and while it has its name: leave rooms, which are
locked before accounts. Takes the account's key."""

account_deleted: Hook[Callable[[Former], list[Act]]] = Hook("people.account_deleted")
"""Runs in the transaction of a deletion, with the account locked and emptied: delete what is theirs, and rename them
where a text has their name. Returns what the ledger records of it."""

still_to_forget: Hook[Callable[[int], None]] = Hook("people.still_to_forget")
"""Runs after the commit of a deletion, and again by the sweep for a day: whatever a transaction does not do, such as
files, and rows that a request under way wrote meanwhile. Idempotent. Takes the account's key."""

reasons_to_tell: Hook[Callable[[int, datetime], bool]] = Hook("people.reasons_to_tell")
"""Whether a deleted account is still to be told something, or may still appeal, at a moment: its address is kept for
that alone. Takes the account's key."""

deletion_notes: Hook[Callable[[User], list[str]]] = Hook("people.deletion_notes")
"""Sentences, in the language that is active, on what a deletion would mean for this account now: a live room, an open
case. For the page that asks for it."""
