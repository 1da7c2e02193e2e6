"""Rooms under review: the case by which somebody acts in one, and parties, who see nothing of it."""

from __future__ import annotations

from collections.abc import Collection
from functools import reduce
from operator import or_
from typing import Any

from django.db.models import F, Q, QuerySet

from moderation.models import Case, CaseParty
from moderation.models.cases import OPEN_STATES, WITH_SOUND
from moderation.queries.access import visible_cases
from people.models import User
from retention.hooks import hidden_receipts
from rooms.models import Room, Seat


def rooms_of_party(user: User, rooms: Collection[int]) -> set[int]:
    """Return those of these rooms, by key, in which a person was host, co-host or speaker, or whose cases they are a
    party of."""
    hosted = Room.objects.filter(pk__in=rooms, host=user).values_list("pk", flat=True)
    sat = Seat.objects.filter(room__in=rooms, user=user).values_list("room", flat=True)
    of_cases = CaseParty.objects.filter(case__room__in=rooms, user=user).values_list("case__room", flat=True)
    return set(hosted.union(sat, of_cases))


def own_rooms(reader: int) -> list[QuerySet[Any, Any]]:
    """Return queries of the rooms in which a person was host or on the stage, or whose cases they are a party of, as
    `room_key`; apart, so that each is one index."""
    hosted = Room.objects.filter(host=reader).annotate(room_key=F("pk"))
    sat = Seat.objects.filter(user=reader).annotate(room_key=F("room"))
    of_cases = CaseParty.objects.filter(user=reader, case__room__isnull=False).annotate(room_key=F("case__room"))
    return [rows.order_by().values("room_key") for rows in (hosted, sat, of_cases)]


@hidden_receipts.register("moderation")
def receipts_of_own_rooms(reader: int) -> Q:
    """The receipts of rooms in which a reader took part: their rule names violations and secret orders."""
    return reduce(or_, (Q(room__in=rooms) for rooms in own_rooms(reader)))


def is_party_of_room(user: User, room: Room) -> bool:
    return bool(rooms_of_party(user, [room.pk]))


def case_in_room(user: User, room: Room) -> Case | None:
    """Return the open case by which a person may act in a room: that of the room as a whole before one about a person.
    None where nobody reported the room, as far as this person may see."""
    cases = visible_cases(user).filter(room=room, state__in=OPEN_STATES, kind__in=WITH_SOUND)
    return cases.order_by("-kind", "-priority", "pk").first()  # "room" is after "person"
