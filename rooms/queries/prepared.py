"""Prepared rooms as their host and other readers see them: lists of pages, and a room's state for the API."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.db.models import Exists, OuterRef, Q, QuerySet, Value
from django.http import HttpRequest

from people.hooks import ComingLink
from people.models import User
from rooms.models import Room
from rooms.queries.live_now import open_to_account
from rooms.rules.identity import Who, who_of_request
from rooms.rules.starts import comes_twice
from rooms.wire.events import iso
from social.models import Follow

MOST_COMING = 6  # on the home page
MOST_OWN = 40  # of one host: 20 that wait, and those that were cancelled without them


def coming_up(who: Who) -> list[Room]:
    """Prepared rooms of others that this person may enter, at most MOST_COMING: followed hosts first (`host_followed`),
    then the soonest; one query."""
    followed: Any = Value(False)
    if who.user is not None:
        followed = Exists(Follow.objects.filter(follower=who.user, followed=OuterRef("host")))
    rooms = _open_to(who).annotate(host_followed=followed).select_related("host")
    if who.user is not None:
        rooms = rooms.exclude(host=who.user)
    return list(rooms.order_by("-host_followed", "starts_at", "pk")[:MOST_COMING])


def prepared_of(host: User) -> list[Room]:
    """A host's prepared rooms, the soonest first, with those that staff or the clock cancelled, until they are purged;
    one query."""
    waiting = Q(status=Room.Status.SCHEDULED)
    cancelled = Q(status=Room.Status.CANCELLED, purged_at=None) & ~Q(cancel_reason=Room.CancelReason.HOST)
    return list(Room.objects.filter(waiting | cancelled, host=host).order_by("-status", "starts_at", "pk")[:MOST_OWN])


def same_prepared(host: User, values: Mapping[str, Any]) -> Room | None:
    """The room that a host has prepared with this title and start already, or None: the same form was sent twice."""
    same = {"title": values["title"], "starts_wall": values["wall"], "starts_zone": values["zone"]}
    return Room.objects.filter(host=host, status=Room.Status.SCHEDULED, **same).first()


def coming_link(user: User, request: HttpRequest) -> ComingLink | None:
    """Link to the next prepared room of a person, for their page; None unless the reader may enter it."""
    room = _open_to(who_of_request(request)).filter(host=user).order_by("starts_at").first()
    if room is None or room.starts_at is None:
        return None
    return ComingLink(room.get_absolute_url(), room.shown_title, room.starts_at)


def _open_to(who: Who) -> QuerySet[Any]:
    """Prepared rooms that a person may enter. Nobody is removed from a room before it opens, so that an anonymous
    person's cookie does not matter yet."""
    rooms = Room.objects.filter(status=Room.Status.SCHEDULED)
    if who.user is None:
        return rooms.filter(entry_policy=Room.EntryPolicy.ANYONE)
    return rooms.filter(open_to_account(who.user))


def starts_twice(room: Room) -> bool:
    """Whether clocks go back over a room's wall time: it begins at the first of the two."""
    return bool(room.starts_wall) and comes_twice(datetime.fromisoformat(room.starts_wall), room.starts_zone)


def prepared_state(room: Room) -> dict[str, Any]:
    """A room as `rooms.api.shapes.PreparedShape`."""
    starts = {"wall": room.starts_wall, "zone": room.starts_zone} if room.starts_wall else None
    return {
        "slug": room.slug,
        "title": room.shown_title,
        "title_removed": room.title_removed,
        "topic": room.topic,
        "language": room.language,
        "speak_policy": room.speak_policy,
        "entry_policy": room.entry_policy,
        "transcription": room.transcription,
        "status": room.status,
        "at": iso(room.starts_at),
        "starts": starts,
        "twice": starts_twice(room),
        "cancel_reason": room.cancel_reason,
    }
