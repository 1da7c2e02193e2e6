"""Rooms for tests: made through actions, as the site makes them."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django.conf import settings
from django.utils import timezone

from people.models import User
from rooms import actions, presence
from rooms.models import NOTICE, Recording, Room
from tests.support.people import person


def consented(user: User, room: Room) -> User:
    actions.record_consent(user, room, settings.CONSENT_VERSION)
    return user


def seated(handle: str, room: Room) -> User:
    user = consented(person(handle), room)
    actions.take_seat(room.pk, user)
    return user


def open_room(host: str | User = "host", **values: Any) -> Room:
    """A live room. A host that is named by handle becomes a creator, unless there is such an account already."""
    if isinstance(host, str):
        host = User.objects.filter(handle=host).first() or person(host, creator=True)
    return actions.open_room(host, **{"title": "Voices at the table", **values})


def prepared_room(
    host: str | User = "host", ahead: timedelta = timedelta(days=1), zone: str = "UTC", **values: Any
) -> Room:
    """A room that its host has prepared, for the whole minute that `ahead` from now is in."""
    if isinstance(host, str):
        host = User.objects.filter(handle=host).first() or person(host, creator=True)
    wall = f"{(timezone.now() + ahead).astimezone(ZoneInfo(zone)):%Y-%m-%dT%H:%M}"
    return actions.prepare_room(host, **{"title": "Voices to come", "wall": wall, "zone": zone, **values})


def begins(room: Room, at: datetime) -> Room:
    """Move the start of a prepared room, whatever its wall time says."""
    Room.objects.filter(pk=room.pk).update(starts_at=at)
    room.refresh_from_db()
    return room


def ended_room(host: str | User = "host", **values: Any) -> Room:
    """A room that its host ended; nothing was recorded in it."""
    room = open_room(host, **values)
    actions.end_room(room.pk, room.host)
    room.refresh_from_db()
    return room


def published(room: Room, policy: str | None = None) -> Room:
    """Publish the replay of an ended room as its host, with the day for objections over."""
    actions.set_published(room.pk, room.host, True, policy)
    make_public(room)
    room.refresh_from_db()
    return room


def make_public(room: Room) -> None:
    """Publish a replay as of now, announced a day ago, whatever is in it."""
    now = timezone.now()
    announced = {"announced_at": now - NOTICE, "published_by": room.host}
    Recording.objects.filter(room=room).update(published_at=now, **announced)


def due_at(room: Room) -> datetime:
    """The normal day of its purge."""
    assert room.ended_at is not None
    return room.ended_at + timedelta(days=settings.RECORDING_DAYS)


def people_in(room_pk: int) -> int:
    """Number of people connected, stage and audience."""
    return presence.look(room_pk, [])[0]


def is_connected(room_pk: int, user_pk: int) -> bool:
    """Whether this person is connected by any of their pages."""
    return presence.look(room_pk, [presence.user_key(user_pk)])[1][0]
