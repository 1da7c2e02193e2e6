"""Effects of a block in rooms: the blocked person is out of the blocker's rooms, and a guest leaves a blocked host."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from functools import partial
from typing import Any

from django.db import transaction
from django.db.models import Q

from core.batches import run_each
from people.actions.standing import standing_changed as account_changed
from people.models import User
from rooms.actions.blocked_here import tell_present
from rooms.actions.hand_queue import lower_hands
from rooms.actions.invitation_rows import as_message
from rooms.actions.locking import locked
from rooms.actions.removals import remove_person
from rooms.actions.seating import stand_up
from rooms.models import Hand, Invitation, Room, Seat
from rooms.rules.facts import STANDING, open_seat
from rooms.rules.refusals import RoomRefused
from rooms.wire.sides import tell_host_side

log = logging.getLogger(__name__)


def on_block(sender: Any, blocker: User, blocked: User, **_more: Any) -> None:
    """Receive `social.signals.blocked`, after the commit. Each room is changed in a transaction of its own: one that
    fails stops no other, and the facts of entry (`Facts.blocked_by_host`, `blocks_host`) hold without this.

    Idempotent. Raises Unfinished where a room failed: the sweep does it again (`social.actions.blocks.settle_left`).
    """
    _revoke_own(blocker, blocked)
    live = Room.objects.filter(status=Room.Status.LIVE)
    helped = Q(host=blocker) | Q(seats__user=blocker, seats__role=Seat.Role.COHOST, seats__left_at=None)
    remove, leave = partial(_remove, blocker=blocker, blocked=blocked), partial(_leave, blocker=blocker)
    failed = _failed(live.filter(helped).distinct(), remove, "the removal of a blocked person")
    failed += _failed(live.filter(host=blocked), leave, "leaving the room of a blocked host")
    account_changed(blocker, "blocked somebody")
    shared = live.filter(seats__user=blocked, seats__left_at=None).exclude(host=blocked)
    tell = partial(tell_present, user=blocked, blockers=[blocker.pk])
    failed += _failed(shared, tell, "the notice to a blocker")
    if failed:
        raise Unfinished(f"{failed} failures")


@transaction.atomic
def _revoke_own(blocker: User, blocked: User) -> None:
    """Revoke what the blocker sent, as by hand: what was not answered or was accepted, in rooms that are not over; the
    host's side is told.

    Invitations by others stay as they are, also to the blocker's rooms, and expire with the room like any: they give no
    right while the block stands, and whoever sent them would read from a change who blocks whom.
    """
    rows = Invitation.objects.filter(by=blocker, user=blocked, state__in=STANDING).select_related("room", "user", "by")
    standing = list(rows.select_for_update(of=("self",), no_key=True).order_by("pk"))
    Invitation.objects.filter(pk__in=[row.pk for row in standing]).update(state=Invitation.State.REVOKED)
    for row in standing:
        row.state = Invitation.State.REVOKED
        if row.by_helper:
            tell_host_side(row.room, as_message(row.room, row))


class Unfinished(Exception):
    """A room did not react to a block."""


def _failed(rooms: Iterable[Room], work: Callable[[Room], object], what: str) -> int:
    """Call `work` for each room; returns for how many it failed."""
    each = list(rooms)
    return len(each) - run_each(each, work, what)


def _remove(room: Room, blocker: User, blocked: User) -> None:
    try:
        remove_person(room.pk, blocked, by=blocker, for_block=True)
    except RoomRefused as refused:  # a co-host cannot remove the host or another co-host; or the room ended
        log.info("room %s: a blocked person stays: %s", room.pk, refused.code)


def _leave(room: Room, blocker: User) -> None:
    """Close the seat of a guest who blocked the host, as if they had left."""
    with locked(room.pk) as row:
        seat = open_seat(row, blocker) if row.is_live else None
        if seat is not None:
            stand_up(row, seat, Seat.LeftReason.LEFT)
        lower_hands(row, {blocker.pk: Hand.Outcome.LEFT})
