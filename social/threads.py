"""Queries of the inbox and of one thread, as one person sees them: a constant number for a page."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from django.db.models import Count, OuterRef, Q, Subquery
from django.utils.translation import gettext as _

from people.models import User
from people.refusals import PeopleRefused
from social.hooks import DrawnMessage, message_kinds
from social.models import Message, Thread, ThreadSide

_MARK = re.compile(r"[0-9]{1,16}-[0-9]{1,19}")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Line:
    """One message of a thread, drawn for one reader. `drawn.text` is its text."""

    message: Message
    drawn: DrawnMessage
    own: bool


@dataclass(frozen=True)
class InboxThread:
    """One thread of an inbox: `other` is None where it holds official messages."""

    thread: Thread
    other: User | None
    last: Line
    unread: int
    last_at: datetime


@dataclass(frozen=True)
class Inbox:
    """A page of an inbox, newest first; `older` is the `before` of the next page, empty at the end."""

    threads: list[InboxThread]
    older: str


@dataclass(frozen=True)
class Messages:
    """A page of a thread, oldest first; `older` is the `before` of the page before it, None at the beginning."""

    lines: list[Line]
    older: int | None


def inbox(user: User, before: str | None = None, most: int = 30) -> Inbox:
    """A page of a person's threads, the newest first: those of which they see something."""
    last = Message.objects.seen_by(user.pk).filter(thread=OuterRef("thread")).order_by("-pk").values("pk")[:1]
    sides = ThreadSide.objects.filter(user=user, last_at__isnull=False).select_related("thread__low", "thread__high")
    if before:
        sides = sides.filter(_older_than(before))
    found = list(sides.annotate(last_pk=Subquery(last)).order_by("-last_at", "-thread")[: most + 1])
    page = [side for side in found[:most] if side.last_pk is not None]
    messages = Message.objects.in_bulk([side.last_pk for side in page])
    lines = {line.message.thread_id: line for line in lines_of(list(messages.values()), user)}
    unread = _unread_by_thread(user, [side.thread_id for side in page])
    threads = [
        InboxThread(
            thread=side.thread,
            other=other_of(side.thread, user),
            last=lines[side.thread_id],
            unread=unread.get(side.thread_id, 0),
            last_at=_when(side),
        )
        for side in page
        if side.thread_id in lines
    ]
    return Inbox(threads, _mark(found[most - 1]) if len(found) > most else "")


def messages_of(user: User, thread: Thread, before: int | None = None, most: int = 50) -> Messages:
    """A page of a thread, from its end or from before the message with the key `before`: what this person sees of it,
    nothing for anybody else."""
    rows = Message.objects.filter(thread=thread).seen_by(user.pk)
    if before is not None:
        rows = rows.filter(pk__lt=before)
    found = list(rows.order_by("-pk")[: most + 1])
    page = found[:most][::-1]
    return Messages(lines_of(page, user), page[0].pk if len(found) > most else None)


def lines_of(messages: Sequence[Message], reader: User) -> list[Line]:
    """Draw messages for a reader, in their order; each kind draws all of its own at once."""
    by_kind: defaultdict[str, list[Message]] = defaultdict(list)
    for message in messages:
        by_kind[message.kind].append(message)
    drawn: dict[int, DrawnMessage] = {}
    for kind, own in by_kind.items():
        known = message_kinds.get(kind)
        drawn |= known.draw(own, reader) if known is not None else {}
    unknown = DrawnMessage(text=_("This message cannot be shown."))  # of a kind whose app was taken out
    return [Line(message, drawn.get(message.pk, unknown), message.sender_id == reader.pk) for message in messages]


def kept_text(kind: str, data: Mapping[str, Any]) -> str | None:
    """Return the text of a card of which `DrawnMessage.data` was kept, in the language that is active now.

    None for what a person typed, and for a kind whose app was taken out.
    """
    known = message_kinds.get(kind)
    return None if known is None else known.kept_text(data)


def own_thread(user: User, pk: int) -> Thread:
    """A thread of which this person sees something, with its two people. Raises PeopleRefused("unknown_thread")."""
    rows = Thread.objects.select_related("low", "high")
    thread = rows.filter(pk=pk, sides__user=user, sides__last_at__isnull=False).first()
    if thread is None:
        raise PeopleRefused("unknown_thread")
    return thread


def thread_with(user: User, other: User) -> Thread | None:
    """The thread of a person with another, if they see something of it."""
    low, high = sorted((user.pk, other.pk))
    rows = Thread.objects.select_related("low", "high")
    return rows.filter(low=low, high=high, sides__user=user, sides__last_at__isnull=False).first()


def official_thread(user: User) -> Thread | None:
    """The thread of official messages to a person, if they see something of it."""
    return Thread.objects.filter(low=user, high=None, sides__user=user, sides__last_at__isnull=False).first()


def other_of(thread: Thread, user: User) -> User | None:
    """The other person of a thread; None where it holds official messages."""
    return thread.high if thread.low_id == user.pk else thread.low


def _unread_by_thread(user: User, threads: Sequence[int]) -> dict[int, int]:
    rows = Message.objects.unread_by([user.pk]).filter(thread__in=threads).order_by().values_list("thread_id")
    return dict(rows.annotate(messages=Count("pk")))


def _when(side: ThreadSide) -> datetime:
    assert side.last_at is not None
    return side.last_at


def _mark(side: ThreadSide) -> str:
    """Name a place in an inbox: microseconds since 1970, and the thread."""
    return f"{(_when(side) - _EPOCH) // timedelta(microseconds=1)}-{side.thread_id}"


def _older_than(mark: str) -> Q:
    """Condition for sides behind a place that `_mark` named. Raises PeopleRefused("bad_value")."""
    micros, _dash, thread = mark.partition("-")
    if not (_MARK.fullmatch(mark) and int(thread) < 2**63):
        raise PeopleRefused("bad_value", {"before": "the `older` of a page"})
    at = _EPOCH + timedelta(microseconds=int(micros))
    return Q(last_at__lt=at) | Q(last_at=at, thread__lt=int(thread))
