"""Apply changed rights at once: end whatever an account's standing or a room's policy no longer allows.

The change is committed first. Then this module closes seats and rooms, hubs check the sockets of the person or room
(`rooms.rules.admission`), and the media supervisor checks its speakers and listeners. The message may get lost; then
the sweep every 5 seconds and the supervisor's own rounds find the change.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Callable
from functools import partial
from typing import Any

from django.db import transaction

from core import bus
from core.batches import run_each
from people.actions.standing import standing_changed as account_changed
from people.models import User
from people.standing import NOBODY, standings, why_not_enter, why_not_speak
from rooms import channels
from rooms.actions.hands import lower_forbidden_hands
from rooms.actions.locking import locked
from rooms.actions.opening import end_room
from rooms.actions.stage import leave_seat
from rooms.channels import MEDIA_CHANGED
from rooms.models import Hand, Room, Seat
from rooms.rules.refusals import RoomRefused

log = logging.getLogger(__name__)


def standing_changed(subject: User | Room, why: str) -> None:
    """Check everything that depends on a person's standing or a room's policy again, after the commit."""
    if isinstance(subject, User):
        account_changed(subject, why)
        return
    pk = subject.pk
    log.info("rights in room %s are checked again: %s", pk, why)
    transaction.on_commit(lambda: _publish({"room": pk}), robust=True)


def on_account_changed(sender: Any, user_pk: int, why: str, **_more: Any) -> None:
    """Receive `people.signals.standing_changed`, after the commit."""
    try:
        apply_standing(user_pk)
    finally:
        _publish({"person": user_pk})


def _publish(whom: dict[str, int]) -> None:
    bus.publish(channels.hubs_channel(), json.dumps(whom))
    bus.publish(bus.key(MEDIA_CHANGED), "standing")


def apply_standing(user_pk: int) -> None:
    """End the room that an account may not host any more, close the seats it may not hold, and lower its hands.
    Idempotent.

    A failure in one room is logged; the other rooms are still handled.
    """
    standing = standings([user_pk]).get(user_pk, NOBODY)
    if why_not_enter(standing):
        hosted = Room.objects.filter(host=user_pk, status=Room.Status.LIVE).values_list("pk", flat=True)
        run_each(list(hosted), _end_for_staff, "ending the room of an account")
    if why_not_speak(standing):
        seats = Seat.objects.select_related("user").filter(user=user_pk, left_at=None)
        run_each(list(seats), _unseat_for_staff, "taking an account off a stage")
        raised = Hand.objects.filter(user=user_pk, lowered_at=None).values_list("room_id", flat=True)
        run_each(list(raised), _lower_for_staff, "lowering the hand of an account")


def _end_for_staff(room_pk: int) -> None:
    _unless_over(room_pk, partial(end_room, room_pk, None, Room.EndReason.STAFF))


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
    """Accounts that host a live room, sit on a stage or have a hand up although they may not (a message was lost).
    Three queries."""
    live = Room.Status.LIVE
    hosts = set(Room.objects.filter(status=live).values_list("host_id", flat=True))
    seats = Seat.objects.filter(left_at=None, room__status=live).values_list("user_id", flat=True)
    hands = Hand.objects.filter(lowered_at=None, room__status=live).values_list("user_id", flat=True)
    speaking = set(seats.order_by().union(hands.order_by()))
    by_account = standings(speaking | hosts)
    return sorted(
        pk
        for pk, standing in by_account.items()
        if (pk in hosts and why_not_enter(standing)) or (pk in speaking and why_not_speak(standing))
    )
