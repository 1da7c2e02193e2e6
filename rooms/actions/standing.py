"""Apply changed rights at once: end whatever an account's standing or a room's policy no longer allows.

The change is committed first. Then this module closes seats and rooms, hubs check the sockets of the person or room
(`rooms.rules.admission`), and the media supervisor checks its speakers and listeners. The message may get lost; then
the sweep every 5 seconds and the supervisor's own rounds find the change.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from functools import partial
from typing import Any

from core.batches import run_each
from people.actions.standing import standing_changed as account_changed
from people.models import User
from people.standing import NOBODY, standings, why_not_enter, why_not_speak
from rooms.actions.hand_over import hand_over_to_cohost
from rooms.actions.hands import lower_forbidden_hands
from rooms.actions.locking import locked
from rooms.actions.opening import end_room
from rooms.actions.preparing import cancel_for
from rooms.actions.rights import publish_rights, room_rights_changed
from rooms.actions.seating import connected_people
from rooms.actions.stage import leave_seat
from rooms.models import Hand, HandOver, Room, Seat
from rooms.rules.refusals import RoomRefused

log = logging.getLogger(__name__)


def standing_changed(subject: User | Room, why: str) -> None:
    """Check everything that depends on a person's standing or a room's policy again, after the commit."""
    if isinstance(subject, User):
        account_changed(subject, why)
    else:
        room_rights_changed(subject, why)


def on_account_changed(sender: Any, user_pk: int, why: str, **_more: Any) -> None:
    """Receive `people.signals.standing_changed`, after the commit."""
    try:
        apply_standing(user_pk)
    finally:
        publish_rights({"person": user_pk})


def apply_standing(user_pk: int) -> None:
    """Hand over or end the room that an account may not host any more, cancel those it has prepared, close the seats
    it may not hold, and lower its hands. Idempotent.

    A failure in one room is logged; the other rooms are still handled.
    """
    standing = standings([user_pk]).get(user_pk, NOBODY)
    if code := why_not_enter(standing):
        closed = code == "account_closed"
        cancel_for(user_pk, Room.CancelReason.HOST if closed else Room.CancelReason.STAFF)
        hosted = Room.objects.filter(host=user_pk, status=Room.Status.LIVE).values_list("pk", flat=True)
        run_each(list(hosted), partial(_give_up_for_staff, user_pk), "giving up the room of an account")
    if why_not_speak(standing):
        seats = Seat.objects.select_related("user").filter(user=user_pk, left_at=None)
        run_each(list(seats), _unseat_for_staff, "taking an account off a stage")
        raised = Hand.objects.filter(user=user_pk, lowered_at=None).values_list("room_id", flat=True)
        run_each(list(raised), _lower_for_staff, "lowering the hand of an account")


def _give_up_for_staff(host_pk: int, room_pk: int) -> None:
    _unless_over(room_pk, partial(_hand_over_or_end, host_pk, room_pk))


def _hand_over_or_end(host_pk: int, room_pk: int) -> None:
    """Hand a room to a co-host who is connected and may have it, else end it: at once, without a grace period."""
    connected = connected_people(room_pk)
    with locked(room_pk) as room:
        if room.host_id == host_pk and not hand_over_to_cohost(room_pk, host_pk, HandOver.Reason.STAFF, connected):
            end_room(room_pk, None, Room.EndReason.STAFF)


def _unseat_for_staff(seat: Seat) -> None:
    _unless_over(seat.room_id, partial(leave_seat, seat.room_id, seat.user, Seat.LeftReason.UNSEATED))


def _lower_for_staff(room_pk: int) -> None:
    with locked(room_pk) as room:
        lower_forbidden_hands(room)


def _unless_over(room_pk: int, act: Callable[[], object]) -> None:
    try:
        act()
    except RoomRefused as refused:  # the room ended or the seat was left meanwhile
        log.info("room %s: %s", room_pk, refused.code)


def accounts_without_right() -> list[int]:
    """Accounts that host a live or prepared room, sit on a stage or have a hand up although they may not (a message was
    lost). Three queries."""
    live = Room.Status.LIVE
    hosted = Room.objects.filter(status__in=[live, Room.Status.SCHEDULED])
    hosts = set(hosted.values_list("host_id", flat=True))
    seats = Seat.objects.filter(left_at=None, room__status=live).values_list("user_id", flat=True)
    hands = Hand.objects.filter(lowered_at=None, room__status=live).values_list("user_id", flat=True)
    speaking = set(seats.order_by().union(hands.order_by()))
    by_account = standings(speaking | hosts)
    return sorted(
        pk
        for pk, standing in by_account.items()
        if (pk in hosts and why_not_enter(standing)) or (pk in speaking and why_not_speak(standing))
    )
