"""Rooms that are live now, for the home page, the bar of pictures and the API."""

from __future__ import annotations

from dataclasses import dataclass

from django.db.models import Exists, OuterRef, Prefetch, Q
from redis.exceptions import RedisError

from people.hooks import LiveLink
from people.models import User
from rooms import presence
from rooms.models import Invitation, Removal, Room, Seat
from rooms.rules.facts import STANDING
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


def live_rooms(for_user: User | None) -> list[LiveRoom]:
    """Live rooms that this person may enter: followed hosts first, then the newest. At most five queries and one round
    trip to Redis."""
    open_seats = Seat.objects.filter(left_at=None).select_related("user").order_by("place")
    rooms = list(
        Room.objects.filter(_open_to(for_user), status=Room.Status.LIVE)
        .select_related("host")
        .prefetch_related(Prefetch("seats", queryset=open_seats, to_attr="open_seats"))
        .order_by("-started_at")
    )
    followed: set[int] = set()
    if for_user is not None and for_user.is_authenticated:
        followed = set(Follow.objects.filter(follower=for_user).values_list("followed_id", flat=True))
    rooms.sort(key=lambda room: room.host_id not in followed)  # stable: newest first within each half
    shown = rooms[:MOST]
    listening = _listening({room.pk: room.open_seats for room in shown})
    return [LiveRoom(room, room.host_id in followed, room.open_seats, listening.get(room.pk, 0)) for room in shown]


def _open_to(user: User | None) -> Q:
    """Filter for rooms that a person may enter; must agree with `permissions.may_enter`."""
    anyone = Q(entry_policy=Room.EntryPolicy.ANYONE)
    if user is None or not user.is_authenticated:
        return anyone
    follows = Exists(Follow.objects.filter(follower=user, followed=OuterRef("host")))
    on_stage = Exists(Seat.objects.filter(room=OuterRef("pk"), user=user, left_at=None))
    signed_in = Q(entry_policy=Room.EntryPolicy.SIGNED_IN)
    followers = Q(entry_policy=Room.EntryPolicy.FOLLOWERS) & Q(follows)
    invitations = Invitation.objects.filter(room=OuterRef("pk"), user=user, by_helper=True, state__in=STANDING)
    removed = Exists(Removal.objects.filter(room=OuterRef("pk"), user=user, undone_at=None))
    either = Q(blocker=user, blocked=OuterRef("host")) | Q(blocker=OuterRef("host"), blocked=user)
    kept_out = Q(removed) | Q(Exists(Block.objects.filter(either)))
    admitted = anyone | signed_in | followers | Q(Exists(invitations)) | Q(on_stage)
    return Q(host=user) | (admitted & ~kept_out)


def _listening(seats: dict[int, list[Seat]]) -> dict[int, int]:
    """Audience of each room, given its open seats, in one round trip to Redis; empty without Redis."""
    try:
        people = presence.look_many(
            {pk: [presence.user_key(seat.user_id) for seat in some] for pk, some in seats.items()}
        )
    except RedisError:
        return {}
    return {pk: presence.listening(present, here) for pk, (present, here) in people.items()}


def live_link(user: User) -> LiveLink | None:
    """Link to the live room of a person, for pages about people; None unless everybody may enter it."""
    room = Room.objects.filter(host=user, status=Room.Status.LIVE, entry_policy=Room.EntryPolicy.ANYONE).first()
    return None if room is None else LiveLink(room.get_absolute_url(), room.title)
