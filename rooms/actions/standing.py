"""Rights that are asked again: what an account or a room's policy no longer allows ends, everywhere and at once.

The change is committed first. Then seats and rooms are given up here, hubs check the sockets of the person or room
(`rooms.rules.admission`), and the media supervisor checks who speaks and listens. The 5-second clock (`sweep`) and the
supervisor's own rounds are the net behind the message, which may get lost.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Callable
from functools import partial
from typing import Any

from django.db import transaction

from core import bus
from core.batches import each
from people.actions.standing import standing_changed as account_changed
from people.models import User
from people.standing import NOBODY, standings, why_not_enter, why_not_speak
from rooms import channels
from rooms.actions.opening import end_room
from rooms.actions.stage import leave_seat
from rooms.channels import MEDIA_CHANGED
from rooms.models import Room, Seat
from rooms.rules.refusals import RoomRefused

log = logging.getLogger(__name__)


def standing_changed(subject: User | Room, why: str) -> None:
    """Have everything that depends on a person's standing, or on a room's policy, asked again once it is committed."""
    if isinstance(subject, User):
        account_changed(subject, why)
        return
    pk = subject.pk
    log.info("room %s is asked again: %s", pk, why)
    transaction.on_commit(lambda: _tell({"room": pk}), robust=True)


def on_account_changed(sender: Any, user_pk: int, why: str, **_more: Any) -> None:
    """Receiver of `people.signals.standing_changed`, after the commit."""
    try:
        apply_standing(user_pk)
    finally:
        _tell({"person": user_pk})


def _tell(whom: dict[str, int]) -> None:
    bus.publish(channels.hubs_channel(), json.dumps(whom))
    bus.publish(bus.key(MEDIA_CHANGED), "standing")


def apply_standing(user_pk: int) -> None:
    """Give up what an account may not have any more: the room it hosts ends, its seats are left. Safe to run twice.

    A room that fails is logged, and keeps the account on no other stage.
    """
    standing = standings([user_pk]).get(user_pk, NOBODY)
    if why_not_enter(standing):
        hosted = Room.objects.filter(host=user_pk, status=Room.Status.LIVE).values_list("pk", flat=True)
        each(list(hosted), _end_for_staff, "ending the room of an account")
    if why_not_speak(standing):
        seats = Seat.objects.select_related("user").filter(user=user_pk, left_at=None)
        each(list(seats), _take_off, "taking an account off a stage")


def _end_for_staff(room_pk: int) -> None:
    _unless_over(room_pk, partial(end_room, room_pk, None, Room.EndReason.STAFF))


def _take_off(seat: Seat) -> None:
    _unless_over(seat.room_id, partial(leave_seat, seat.room_id, seat.user, Seat.LeftReason.UNSEATED))


def _unless_over(room_pk: int, act: Callable[[], object]) -> None:
    try:
        act()
    except RoomRefused as refused:  # somebody was quicker: the room ended or the seat was left
        log.info("room %s: %s", room_pk, refused.code)


def without_right() -> list[int]:
    """The accounts that sit on a stage or host a live room and may not: found by the clock where a message was lost.
    Three queries."""
    live = Room.Status.LIVE
    hosts = set(Room.objects.filter(status=live).values_list("host_id", flat=True))
    seated = set(Seat.objects.filter(left_at=None, room__status=live).values_list("user_id", flat=True))
    found = standings(seated | hosts)
    return sorted(
        pk
        for pk, standing in found.items()
        if (pk in hosts and why_not_enter(standing)) or (pk in seated and why_not_speak(standing))
    )
