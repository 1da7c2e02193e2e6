"""Hand-over of a room to one of its co-hosts: by the host for good, while the host is away, or by staff's decision.

The two swap places in one transaction; their rows, microphones and tracks go on. Policies then follow the new host.
Nobody is put out by that: people on stage keep their seats, and followers of the former host who are here stay admitted
until the entry policy is set anew (`StayingFollower`); whoever comes then has to follow the new host. Blocks are no
policy: a person whom the new host blocked, or who blocked the new host, is out, as in every room of theirs.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping

from django.db import IntegrityError, transaction
from django.utils import timezone
from redis.exceptions import RedisError

from people.models import User
from people.standing import kept_from_hosting, lock_standing, standing_of
from rooms import presence
from rooms.actions.host import forget_absence
from rooms.actions.locking import locked
from rooms.actions.rights import room_rights_changed
from rooms.actions.seating import connected_people, stage_state
from rooms.models import Hand, HandOver, Room, Seat, StayingFollower
from rooms.rules import permissions
from rooms.rules.facts import facts_of, open_seat
from rooms.rules.heirs import heirs_of
from rooms.rules.refusals import RoomRefused, refuse
from rooms.wire.events import append_event
from social.models import Follow

log = logging.getLogger(__name__)


def hand_over(room_id: int, to: User, by: User) -> Room:
    """Give a room to a co-host for good; the host becomes co-host at their place.

    Raises not_host, not_a_cohost, may_not_host, hosts_elsewhere, room_ended, unknown_room; unavailable where Redis is
    away and it is not known whom the entry policy must not put out.
    """
    connected = connected_people(room_id)
    with locked(room_id) as room:
        _lock_standings({by.pk, to.pk})
        refuse(
            permissions.may_hand_over(
                facts_of(room, by),
                facts_of(room, to),
                kept_from_hosting=kept_from_hosting(standing_of(to)),
                hosts_elsewhere=Room.objects.filter(host=to, status=Room.Status.LIVE).exists(),
            )
        )
        seat = open_seat(room, to)
        if seat is None:
            raise RoomRefused("not_a_cohost")
        _change_host(room, seat, HandOver.Reason.GIVEN, connected)
    return room


def hand_over_to_cohost(room_id: int, former: int, reason: str, connected: Mapping[int, bool]) -> bool:
    """Hand a room to the first of its co-hosts who is connected and may have it; returns whether there was one.

    `former` is the host's primary key: a room that has another host meanwhile, or with reason host_gone one that is
    here again, is left as it is. Accounts missing from `connected` count as connected. Raises room_ended, unknown_room.
    """
    with locked(room_id) as room:
        refuse(permissions.live(room.status))
        back = reason == HandOver.Reason.HOST_GONE and room.host_lost_at is None
        if room.host_id != former or back:
            return False
        cohosts = Seat.objects.filter(room=room, left_at=None, role=Seat.Role.COHOST)
        _lock_standings({former, *cohosts.values_list("user_id", flat=True)})
        heir = next((seat for seat in heirs_of(room) if connected.get(seat.user_id, True)), None)
        if heir is None:
            return False
        _change_host(room, heir, reason, connected)
    return True


def _lock_standings(user_pks: set[int]) -> None:
    """Lock accounts in one order, so that two hand-overs cannot wait for each other."""
    for pk in sorted(user_pks):
        lock_standing(pk)


def _change_host(room: Room, heir: Seat, reason: str, connected: Mapping[int, bool]) -> None:
    """Swap host and co-host in a locked room. Raises hosts_elsewhere where the database refuses a second live room."""
    former, former_seat = room.host, open_seat(room, room.host)
    room.host = heir.user
    try:
        with transaction.atomic():
            room.save(update_fields=["host"])
    except IntegrityError as error:
        if "room_one_live_a_host" in str(error):
            raise RoomRefused("hosts_elsewhere") from error
        raise
    _swap_places(former_seat, heir)
    forget_absence(room)
    _keep_followers(HandOver.objects.create(room=room, former=former, to=heir.user, reason=reason))
    seats = stage_state(room, connected)
    append_event(
        room, "host_changed", {"host": room.host.handle, "former": former.handle, "reason": reason, "seats": seats}
    )
    room_rights_changed(room, f"handed over, {reason}")


def _keep_followers(hand_over: HandOver) -> None:
    """Under entry policy `followers`, go on to admit followers of the former host who are in the locked room: connected
    now or a moment ago (their page may be loading again), on stage, or in the queue of hands. Raises unavailable where
    that is not known and the host can try it again."""
    room = hand_over.room
    if room.entry_policy != Room.EntryPolicy.FOLLOWERS:
        return
    try:
        here = presence.accounts_around(room.pk)
    except RedisError as error:
        if hand_over.reason == HandOver.Reason.GIVEN:
            raise RoomRefused("unavailable") from error
        log.warning("room %s: who follows its former host and is here is not known: %s", room.pk, error)
        here = set()
    here |= set(Seat.objects.filter(room=room, left_at=None).values_list("user_id", flat=True))
    here |= set(Hand.objects.filter(room=room, lowered_at=None).values_list("user_id", flat=True))
    followers = Follow.objects.filter(followed=hand_over.former, follower__in=here)
    rows = (StayingFollower(hand_over=hand_over, user_id=follow.follower_id) for follow in followers)
    StayingFollower.objects.bulk_create(rows, batch_size=5000)


def _swap_places(former: Seat | None, heir: Seat) -> None:
    """Give the host's place to the heir, and the heir's to the former host if that one is on stage.

    The unique index on open seats is checked row by row, so the former host's row counts as left in between.
    """
    place = heir.place
    if former is not None:
        Seat.objects.filter(pk=former.pk).update(left_at=timezone.now())
    heir.role, heir.place = Seat.Role.HOST, 0
    heir.mute_held = False  # nobody could lift it any more
    heir.save(update_fields=["role", "place", "mute_held"])
    if former is not None:
        former.role, former.place = Seat.Role.COHOST, place
        former.save(update_fields=["role", "place", "left_at"])
