"""Load the facts that the rules of a room depend on. No other module reads them from the database.

Pages, actions, sockets and downloads call `facts_of`; the hub, the media supervisor and the periodic sweep check many
people at once with `facts_of_many`, in two queries.
"""

from __future__ import annotations

import functools
from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db.models import CharField, Exists, F, OuterRef, Q, QuerySet, Value
from django.db.models.functions import Concat

from core.written import Written
from people.models import User
from people.standing import NOBODY, Standing, standings, why_not_enter, why_not_speak
from rooms.models import (
    CaptionsOff,
    Consent,
    Hand,
    HandOver,
    Invitation,
    ListenerChoice,
    Removal,
    RemovedListener,
    Room,
    Seat,
    StayingFollower,
)
from rooms.rules import permissions
from rooms.rules.identity import Who, listener_mac
from rooms.rules.permissions import Facts
from rooms.rules.refusals import refuse
from social.models import Block, Follow, Message

# Invitations that give their right: one that was revoked does not. One that expired with the room still
# lets its person hear the replay, and nobody speaks then.
STANDING = (Invitation.State.PENDING, Invitation.State.ACCEPTED)
ADMITTING = (*STANDING, Invitation.State.EXPIRED)
# Who only declines to speak may still listen: saying no puts nobody out.
GIVING_A_RIGHT = Q(state__in=ADMITTING) | Q(kind=Invitation.Kind.SPEAK, state=Invitation.State.DECLINED)
ADMITS = Q(by_helper=True) & GIVING_A_RIGHT

# Removals in force. One that is not listed holds as long as the block that it came with.
REMOVED = Q(undone_at=None) & (
    Q(listed=True) | Q(Exists(Block.objects.filter(blocker=OuterRef("by"), blocked=OuterRef("user"))))
)

Pair = tuple[int, int]
"""A room's and an account's primary key."""

Mark = tuple[str, int, int]
"""A fact that is so, the room or person that it is about, and the person. Of a seat it is the role."""

ROOM, HOST, PERSON = -1, -2, -3  # placeholders of primary keys
ROOMS, HOSTS, PEOPLE = (-1,), (-2,), (-3,)  # and of many
MISSING = Standing(signed_in=True)  # of an account that is not there


def facts_of(room: Room, user: User | None) -> Facts:
    """Load the facts of one person in one room: two queries; none for an anonymous person."""
    if user is None or not user.is_authenticated:
        return facts_of_nobody(room)
    return facts_of_many([(room, user.pk)])[room.pk, user.pk]


def facts_of_standing(room: Room, user: User, standing: Standing) -> Facts:
    """Load the facts of an account whose standing is known, in one query."""
    return facts_of_known([(room, user.pk, standing)])[0]


def facts_of_who(room: Room, who: Who) -> Facts:
    """Load the facts of any person in one room: two queries for an account, one for an anonymous person."""
    if who.user is not None:
        return facts_of(room, who.user)
    macs = removed_macs([room.pk]) if who.key else {}
    return facts_of_nobody(room, who.key, macs.get(room.pk, frozenset()))


def facts_of_nobody(room: Room, key: str = "", macs: Collection[str] = ()) -> Facts:
    """Facts of an anonymous person. `macs` are the room's `removed_macs`: a listener's cookie (`key`) that is among
    them is kept out as the account is that used it. No query."""
    removed = bool(macs) and listener_mac(room.pk, key) in macs
    return Facts(**_of_room(room), **_of_account(NOBODY), removed=removed)


def removed_macs(room_pks: Collection[int]) -> dict[int, frozenset[str]]:
    """MACs of the listener cookies of removed accounts, by room (`identity.listener_mac`); one query. Rooms without
    any are missing."""
    rows = RemovedListener.objects.filter(removal__in=Removal.objects.filter(REMOVED, room__in=room_pks))
    by_room: dict[int, set[str]] = {}
    for room_pk, mac in rows.values_list("removal__room_id", "mac"):
        by_room.setdefault(room_pk, set()).add(mac)
    return {room_pk: frozenset(macs) for room_pk, macs in by_room.items()}


def facts_of_many(people: Collection[tuple[Room, int]]) -> dict[Pair, Facts]:
    """Load the facts of many accounts in many rooms, in two queries; a missing account counts as closed."""
    standing = standings({user for _room, user in people})
    known = [(room, user, standing.get(user, MISSING)) for room, user in people]
    return {(room.pk, user): facts for (room, user), facts in zip(people, facts_of_known(known), strict=True)}


def facts_of_known(people: Sequence[tuple[Room, int, Standing]]) -> list[Facts]:
    """Load the facts of accounts whose standing is known, each by the row of the room beside it, in one query. Returns
    them in their order; most listeners of a room share one object."""
    marks = _marks_of({(room.pk, room.host_id) for room, _user, _standing in people}, {user for _r, user, _s in people})
    plain: dict[tuple[int, Standing], Facts] = {}  # of those without any mark, by the row of their room
    found = []
    for room, user, standing in people:
        own = marks.get(user)
        if own or user == room.host_id:
            found.append(_facts(room, user, standing, own or set()))
            continue
        facts = plain.get((id(room), standing))
        if facts is None:
            facts = plain[id(room), standing] = _facts(room, user, standing, set())
        found.append(facts)
    return found


def _facts(room: Room, user: int, standing: Standing, marks: set[Mark]) -> Facts:
    roles = [role for role in Seat.Role.values if (role, room.pk, user) in marks]
    return Facts(
        **_of_room(room),
        **_of_account(standing),
        role="host" if user == room.host_id else (roles or ["listener"])[0],
        seated=bool(roles),
        mute_held=("mute_held", room.pk, user) in marks,
        removed=("removed", room.pk, user) in marks,
        blocked_by_host=("block", room.host_id, user) in marks,
        blocks_host=("block", user, room.host_id) in marks,
        former_host=("former_host", room.pk, user) in marks,
        follows_host=("follow", user, room.host_id) in marks or ("stays", room.pk, user) in marks,
        followed_by_host=("follow", room.host_id, user) in marks,
        invited=("invited", room.pk, user) in marks,
        awaited=("awaited", room.pk, user) in marks,
        invited_to_speak=("invited_to_speak", room.pk, user) in marks,
        hand_raised=("hand", room.pk, user) in marks,
        listens_unseen=("seen", room.pk, user) not in marks,
        chose_listening=not marks.isdisjoint(
            {("seen", room.pk, user), ("unseen", room.pk, user), ("unseen_by_default", user, user)}
        ),
        blocks_on_stage=("blocks_on_stage", room.pk, user) in marks,
        has_unread=("unread", user, user) in marks,
        consented=("consent", room.pk, user) in marks,
        captions_off=("captions_off", room.pk, user) in marks,
    )


def _of_room(room: Room) -> dict[str, Any]:
    return {
        "status": room.status,
        "entry_policy": room.entry_policy,
        "speak_policy": room.speak_policy,
        "hands_locked": room.hands_locked,
    }


def _of_account(standing: Standing) -> dict[str, Any]:
    return {
        "signed_in": standing.signed_in,
        "kept_out": why_not_enter(standing),
        "kept_off_stage": why_not_speak(standing),
    }


def _marks_of(rooms: set[Pair], users: set[int]) -> dict[int, set[Mark]]:
    """The marks of people in rooms (with their hosts), by each account that one is about. The query for one person in
    one room, which comes with every act, has a plan of its own."""
    if not users:
        return {}
    if one := len(rooms) == len(users) == 1:
        (room, host), (user,) = *rooms, users
        values: dict[Any, Any] = {ROOM: room, HOST: host, PERSON: user}
    else:
        values = {ROOMS: [pk for pk, _host in rooms], HOSTS: list({host for _pk, host in rooms}), PEOPLE: list(users)}
    marks: dict[int, set[Mark]] = {}
    for mark in _written(settings.CONSENT_VERSION, one=one).rows(values):
        for pk in mark[1:]:
            if pk in users:
                marks.setdefault(pk, set()).add(mark)
    return marks


@functools.cache
def _written(_consent_version: str, *, one: bool) -> Written:
    if one:
        return Written(_marks("in", [ROOM], [HOST], [PERSON]), (ROOM, HOST, PERSON))
    return Written(_marks("one_of", ROOMS, HOSTS, PEOPLE), (ROOMS, HOSTS, PEOPLE))


def _marks(how: str, rooms: Sequence[int], hosts: Sequence[int], users: Sequence[int]) -> QuerySet[Any, Any]:
    """Everything that is either so or not so, as `Mark`, in one query; `how` is the lookup by which keys are found."""

    def keys(**columns: Sequence[int]) -> dict[str, Any]:
        return {f"{column}__{how}": pks for column, pks in columns.items()}

    here = keys(room=rooms, user=users)
    invitations = Invitation.objects.filter(**here)
    choices = ListenerChoice.objects.filter(**here)
    by_room = {
        "removed": Removal.objects.filter(REMOVED, **here),
        "invited": invitations.filter(ADMITS),
        "awaited": invitations.filter(state__in=STANDING, came_at=None),
        "invited_to_speak": invitations.filter(kind=Invitation.Kind.SPEAK, state__in=STANDING),
        "hand": Hand.objects.filter(**here, lowered_at=None),
        "unseen": choices.filter(unseen=True),
        "seen": choices.filter(unseen=False),
        "consent": Consent.objects.filter(**here, text_version=settings.CONSENT_VERSION),
        "captions_off": CaptionsOff.objects.filter(**here, until=None),
    }
    parts = [_marked(mark, rows, "room_id", "user_id") for mark, rows in by_room.items()]
    # Open seats; in a room that has ended, those that were open at its end.
    at_the_end = Q(room__status=Room.Status.ENDED, left_reason=Seat.LeftReason.ROOM_ENDED)
    seats = Seat.objects.filter(Q(left_at=None) | at_the_end, **here).order_by()
    parts.append(seats.annotate(mark=Concat("role", Value(""))).values_list("mark", "room_id", "user_id"))
    parts.append(_marked("mute_held", seats.filter(mute_held=True), "room_id", "user_id"))
    on_stage = Block.objects.filter(**keys(blocker=users, blocked__seats__room=rooms), blocked__seats__left_at=None)
    parts.append(_marked("blocks_on_stage", on_stage, "blocked__seats__room_id", "blocker_id"))
    blocks = Q(**keys(blocker=hosts, blocked=users)) | Q(**keys(blocker=users, blocked=hosts))
    parts.append(_marked("block", Block.objects.filter(blocks), "blocker_id", "blocked_id"))
    follows = Q(**keys(follower=hosts, followed=users)) | Q(**keys(follower=users, followed=hosts))
    parts.append(_marked("follow", Follow.objects.filter(follows), "follower_id", "followed_id"))
    gave = HandOver.objects.filter(**keys(room=rooms, former=users))
    parts.append(_marked("former_host", gave, "room_id", "former"))
    staying = StayingFollower.objects.filter(**keys(hand_over__room=rooms, user=users))
    parts.append(_marked("stays", staying, "hand_over__room_id", "user_id"))
    people = User.objects.filter(**keys(pk=users)).annotate(same=F("pk"))
    parts.append(_marked("unseen_by_default", people.filter(listens_unseen=True), "pk", "same"))
    unread = Message.objects.filter(receiver=OuterRef("pk"), delivered_at__isnull=False, read=False)
    parts.append(_marked("unread", people.filter(Exists(unread)), "pk", "same"))
    return parts[0].union(*parts[1:], all=True)


def _marked(mark: str, rows: QuerySet[Any], *columns: str) -> QuerySet[Any, Any]:
    marked: QuerySet[Any, Any] = rows.order_by().annotate(mark=Value(mark, output_field=CharField()))
    return marked.values_list("mark", *columns)


def enter(room: Room, who: Who) -> Facts:
    """Return the facts of a person who may enter the room; raise RoomRefused for anybody else."""
    facts = facts_of_who(room, who)
    refuse(permissions.may_enter(facts))
    return facts


def open_seat(room: Room, user: User) -> Seat | None:
    """The open seat of this person, if there is one."""
    return Seat.objects.select_related("user").filter(room=room, user=user, left_at=None).first()


def grace_ends(room: Room) -> datetime | None:
    """Time at which the room ends because its host is gone; None while the host is connected, or a co-host gets it."""
    if room.host_lost_at is None or room.hands_over:
        return None
    return room.host_lost_at + timedelta(seconds=settings.ROOM_HOST_GRACE_SECONDS)


def hand_over_due(room: Room) -> datetime | None:
    """Time at which a co-host gets the room because its host is gone; None where that is not so."""
    if room.host_lost_at is None or not room.hands_over:
        return None
    return room.host_lost_at + timedelta(seconds=settings.ROOM_HAND_OVER_SECONDS)
