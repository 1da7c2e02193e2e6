"""Facts that the rules of a room go by, read from the database in one place.

Every door, action, socket, seat, listener and download asks `facts_of`; whoever checks many people at once (the hub,
the media supervisor, the clock) asks `facts_of_many`, at a constant number of queries.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import datetime, timedelta

from django.conf import settings
from django.db.models import Q

from people.models import User
from people.standing import NOBODY, Standing, standings, why_not_enter, why_not_speak
from rooms.models import Consent, Room, Seat
from rooms.rules import permissions
from rooms.rules.identity import Who
from rooms.rules.permissions import Facts
from rooms.rules.refusals import refuse
from social.models import Follow

Pair = tuple[int, int]
"""A room's and an account's primary key."""


def facts_of(room: Room, user: User | None) -> Facts:
    """The facts of one person in one room, as the database has them now: three queries, one more a policy that asks
    who follows whom; none for who is not signed in."""
    if user is None or not user.is_authenticated:
        return facts_of_nobody(room)
    return facts_of_many([(room, user.pk)])[room.pk, user.pk]


def facts_of_nobody(room: Room) -> Facts:
    """The facts of somebody who is not signed in. No query."""
    return _facts(room, NOBODY, "listener", False, False, False)


def facts_of_many(people: Collection[tuple[Room, int]]) -> dict[Pair, Facts]:
    """The facts of many accounts in many rooms, at most five queries; an account that does not exist is not open."""
    rooms = {room.pk: room for room, _user in people}
    users = {user for _room, user in people}
    if not people:
        return {}
    standing = standings(users)
    roles = _roles(rooms.values(), users)
    follows, followed = _follows(rooms.values(), users)
    consents = Consent.objects.filter(room__in=rooms, user__in=users, text_version=settings.CONSENT_VERSION)
    agreed = set(consents.values_list("room_id", "user_id"))
    return {
        (room.pk, user): _facts(
            room,
            standing.get(user, Standing(signed_in=True)),
            "host" if user == room.host_id else roles.get((room.pk, user), "listener"),
            (user, room.host_id) in follows,
            (room.host_id, user) in followed,
            (room.pk, user) in agreed,
            seated=(room.pk, user) in roles,
        )
        for room, user in people
    }


def _facts(
    room: Room,
    standing: Standing,
    role: str,
    follows_host: bool,
    followed_by_host: bool,
    consented: bool,
    seated: bool = False,
) -> Facts:
    return Facts(
        status=room.status,
        entry_policy=room.entry_policy,
        speak_policy=room.speak_policy,
        signed_in=standing.signed_in,
        kept_out=why_not_enter(standing),
        kept_off_stage=why_not_speak(standing),
        role=role,
        seated=seated,
        follows_host=follows_host,
        followed_by_host=followed_by_host,
        consented=consented,
    )


def _roles(rooms: Iterable[Room], users: set[int]) -> dict[Pair, str]:
    """The open seats; in a room that has ended, the seats that were open when it did."""
    at_the_end = Q(room__status=Room.Status.ENDED, left_reason=Seat.LeftReason.ROOM_ENDED)
    seats = Seat.objects.filter(Q(left_at=None) | at_the_end, room__in=list(rooms), user__in=users)
    return {(room, user): role for room, user, role in seats.values_list("room_id", "user_id", "role")}


def _follows(rooms: Iterable[Room], users: set[int]) -> tuple[set[Pair], set[Pair]]:
    """(follower, followed) pairs: people and the hosts they follow, hosts and the people they follow. Read only where a
    policy asks."""
    asked = [room.host_id for room in rooms if room.entry_policy == Room.EntryPolicy.FOLLOWERS]
    follows = Follow.objects.filter(follower__in=users, followed__in=asked) if asked else Follow.objects.none()
    asked = [room.host_id for room in rooms if room.speak_policy == Room.SpeakPolicy.FOLLOWED]
    followed = Follow.objects.filter(follower__in=asked, followed__in=users) if asked else Follow.objects.none()
    pairs = ("follower_id", "followed_id")
    return set(follows.values_list(*pairs)), set(followed.values_list(*pairs))


def enter(room: Room, who: Who) -> Facts:
    """The facts of who may come in; raises RoomRefused for everybody else."""
    facts = facts_of(room, who.user)
    refuse(permissions.may_enter(facts))
    return facts


def open_seat(room: Room, user: User) -> Seat | None:
    """The open seat of this person, if there is one."""
    return Seat.objects.select_related("user").filter(room=room, user=user, left_at=None).first()


def grace_ends(room: Room) -> datetime | None:
    """The moment at which this room ends by itself because its host is gone; None while the host is there."""
    if room.host_lost_at is None:
        return None
    return room.host_lost_at + timedelta(seconds=settings.ROOM_HOST_GRACE_SECONDS)
