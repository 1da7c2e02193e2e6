"""Rooms under review: the case by which somebody acts in one, and those who took part, who see nothing of it."""

from __future__ import annotations

from collections.abc import Collection
from functools import reduce
from operator import or_
from typing import Any

from django.db.models import F, Q, QuerySet

from moderation.models import Case, CaseParty, Report
from moderation.models.cases import OPEN_STATES, WITH_SOUND
from moderation.queries.access import visible_cases
from people.models import User
from retention.hooks import hidden_receipts
from retention.purge import PLAIN_RULES
from rooms.models import Room, Seat


def rooms_of_party(user: User, rooms: Collection[int]) -> set[int]:
    """Return those of these rooms, by key, in which a person was host, co-host or speaker.

    Nothing here asks for cases: an answer that depended on one would tell a listener that they were reported.
    """
    hosted = Room.objects.filter(pk__in=rooms, host=user).values_list("pk", flat=True)
    sat = Seat.objects.filter(room__in=rooms, user=user).values_list("room", flat=True)
    return set(hosted.union(sat))


def own_rooms(reader: int) -> list[QuerySet[Any, Any]]:
    """Return queries of the rooms in which a person was host or on the stage, as `room_key`; apart, so that each is one
    index."""
    hosted = Room.objects.filter(host=reader).annotate(room_key=F("pk"))
    sat = Seat.objects.filter(user=reader).annotate(room_key=F("room"))
    return [rows.order_by().values("room_key") for rows in (hosted, sat)]


@hidden_receipts.register("moderation")
def receipts_of_own_rooms(reader: int) -> Q:
    """The receipts of rooms in which a reader took part, since their rule names violations and secret orders; and of
    rooms whose cases they are a party of where the rule says more than that of a room that nobody reported."""
    own = reduce(or_, (Q(room__in=rooms) for rooms in own_rooms(reader)))
    of_cases = CaseParty.objects.filter(user=reader, case__room__isnull=False).order_by().values("case__room")
    plain = reduce(or_, (Q(rule__startswith=rule) for rule in PLAIN_RULES))
    return own | Q(room__in=of_cases) & ~plain


def reported_there(user: User, room: Room) -> bool:
    """Whether a person reported the room, or anybody in it, themselves."""
    return Report.objects.filter(room=room, reporter=user).exists()


def is_party_of_room(user: User, room: Room) -> bool:
    """Whether a person was host, co-host or speaker of a room."""
    return bool(rooms_of_party(user, [room.pk]))


def case_in_room(user: User, room: Room) -> Case | None:
    """Return the open case by which a person may act in a room: that of the room as a whole before one about a person.
    None where nobody reported the room, as far as this person may see."""
    cases = visible_cases(user).filter(room=room, state__in=OPEN_STATES, kind__in=WITH_SOUND)
    return cases.order_by("-kind", "-priority", "pk").first()  # "room" is after "person"
