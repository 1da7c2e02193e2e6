"""Rooms that are live now, as one reader may see them: home page, bar of pictures, API, and pages about people."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.db.models import Exists, OuterRef, Prefetch, Q, QuerySet
from django.http import HttpRequest
from redis.exceptions import RedisError

from people.hooks import LiveLink
from people.models import User
from rooms import presence
from rooms.models import HandOver, Invitation, Removal, Room, Seat, StayingFollower
from rooms.rules import permissions
from rooms.rules.facts import ADMITS, REMOVED, facts_of_nobody, removed_macs
from rooms.rules.identity import Who, who_of_request
from social.models import Block, Follow

MOST = 100  # rooms shown at once


@dataclass(frozen=True)
class LiveRoom:
    """A live room with the data of its card; `listening` is the size of the audience."""

    room: Room
    host_followed: bool
    seats: list[Seat]
    listening: int

    @property
    def speakers(self) -> int:
        return len(self.seats)


def live_rooms(who: Who) -> list[LiveRoom]:
    """Live rooms that this person may enter: followed hosts first, then the newest. At most three queries and one round
    trip to Redis, however many rooms are live."""
    open_seats = Seat.objects.filter(left_at=None).select_related("user").order_by("place")
    rooms = _open_to(
        who,
        Room.objects.select_related("host")
        .prefetch_related(Prefetch("seats", queryset=open_seats, to_attr="open_seats"))
        .order_by("-started_at"),
    )
    followed: set[int] = set()
    if who.user is not None:
        followed = set(Follow.objects.filter(follower=who.user).values_list("followed_id", flat=True))
    rooms.sort(key=lambda room: room.host_id not in followed)  # stable: newest first within each half
    shown = rooms[:MOST]
    listening = audience_of({room.pk: room.open_seats for room in shown})
    return [LiveRoom(room, room.host_id in followed, room.open_seats, listening.get(room.pk, 0)) for room in shown]


def _open_to(who: Who, rooms: QuerySet[Any]) -> list[Any]:
    """The live ones of these rooms that a person may enter. One query more for an anonymous person: which of the rooms
    removed an account that used their browser."""
    live = rooms.filter(status=Room.Status.LIVE)
    if who.user is not None:
        return list(live.filter(open_to_account(who.user)))
    found = list(live.filter(entry_policy=Room.EntryPolicy.ANYONE))
    macs = removed_macs([room.pk for room in found]) if found else {}
    known = {room.pk: facts_of_nobody(room, who.key, macs.get(room.pk, ())) for room in found}
    return [room for room in found if permissions.may_enter(known[room.pk]) is None]


def open_to_account(user: User) -> Q:
    """Filter for rooms that an account may enter; must agree with `permissions.may_enter`."""
    anyone = Q(entry_policy=Room.EntryPolicy.ANYONE)
    follows = Exists(Follow.objects.filter(follower=user, followed=OuterRef("host")))
    on_stage = Exists(Seat.objects.filter(room=OuterRef("pk"), user=user, left_at=None))
    signed_in = Q(entry_policy=Room.EntryPolicy.SIGNED_IN)
    stays = Exists(StayingFollower.objects.filter(hand_over__room=OuterRef("pk"), user=user))
    followers = Q(entry_policy=Room.EntryPolicy.FOLLOWERS) & (Q(follows) | Q(stays))
    hosted = Exists(HandOver.objects.filter(room=OuterRef("pk"), former=user))
    invitations = Invitation.objects.filter(ADMITS, room=OuterRef("pk"), user=user)
    removed = Exists(Removal.objects.filter(REMOVED, room=OuterRef("pk"), user=user))
    either = Q(blocker=user, blocked=OuterRef("host")) | Q(blocker=OuterRef("host"), blocked=user)
    kept_out = Q(removed) | Q(Exists(Block.objects.filter(either)))
    admitted = anyone | signed_in | followers | Q(Exists(invitations)) | Q(on_stage) | Q(hosted)
    return Q(host=user) | (admitted & ~kept_out)


def audience_of(seats: dict[int, list[Seat]]) -> dict[int, int]:
    """Audience of each room, given its open seats, in one round trip to Redis; empty without Redis."""
    try:
        people = presence.look_many(
            {pk: [presence.user_key(seat.user_id) for seat in some] for pk, some in seats.items()}
        )
    except RedisError:
        return {}
    return {pk: presence.listening(present, here) for pk, (present, here) in people.items()}


def live_link(user: User, request: HttpRequest) -> LiveLink | None:
    """Link to the live room of a person, for pages about people; None unless the reader may enter it."""
    rooms = _open_to(who_of_request(request), Room.objects.filter(host=user))
    return LiveLink(rooms[0].get_absolute_url(), rooms[0].shown_title) if rooms else None
