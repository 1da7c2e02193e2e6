"""Removal of a person from a room by host or co-host, and its undoing."""

from __future__ import annotations

import logging
from collections.abc import Collection

from django.utils import timezone
from redis.exceptions import RedisError

from people.actions.standing import standing_changed as account_changed
from people.models import User
from rooms import presence
from rooms.actions.hand_queue import lower_hands
from rooms.actions.invitation_rows import revoke_all
from rooms.actions.locking import locked
from rooms.actions.seating import stand_up
from rooms.actions.standing import standing_changed
from rooms.models import Hand, Removal, RemovedListener, Room, Seat
from rooms.rules import permissions
from rooms.rules.facts import REMOVED, facts_of, open_seat
from rooms.rules.refusals import RoomRefused, refuse
from rooms.wire.sides import tell_host_side

log = logging.getLogger(__name__)

MOST_KEPT = 20  # listener cookies kept with one removal


def remove_person(room_id: int, user: User, by: User, *, for_block: bool = False) -> Removal:
    """Remove an account from a live room until it is undone, whether or not the person is in it.

    Their seat is closed (`unseated` in the log, as for anybody who is taken off the stage), their hand lowered, their
    invitations to this room revoked; after the commit sockets and sound end. Only the host's side is told. A person who
    was removed already stays so. Raises not_host, not_allowed (host; co-hosts each other), room_ended.

    `for_block`: `by` blocked the person, and somebody who was not here is kept out without the host's side being told:
    it would read from the list who blocks whom.
    """
    with locked(room_id) as room:
        target_role = facts_of(room, user).role
        refuse(permissions.may_act_on(facts_of(room, by), target_role=target_role))
        removal = _open_removal(room, user)
        if removal is not None:
            return removal
        if for_block and not _was_here(room, user):
            return _keep_out(room, user, by)
        removal = Removal.objects.create(room=room, user=user, by=by)
        if seat := open_seat(room, user):
            stand_up(room, seat, Seat.LeftReason.UNSEATED)
        lower_hands(room, {user.pk: Hand.Outcome.NOT_ALLOWED})
        revoke_all(room, user)
        _keep(removal, _cookies(room, user))
        tell_host_side(room, {"type": "removed", "room": room.slug, "data": {"user": user.handle, "by": by.handle}})
        account_changed(user, f"removed from room {room.pk}")
    return removal


def undo_removal(room_id: int, user: User, by: User) -> None:
    """Let an account in again that was removed. Seat, hand and invitations do not come back, and the kept listener
    cookies are deleted. Raises not_host, not_removed (also for a removal that is not listed), room_ended."""
    with locked(room_id) as room:
        refuse(permissions.may_manage(facts_of(room, by)))
        if _open_removal(room, user) is None:
            raise RoomRefused("not_removed")
        removals = Removal.objects.filter(room=room, user=user, undone_at=None)
        RemovedListener.objects.filter(removal__in=removals).delete()
        removals.update(undone_at=timezone.now())  # an unlisted one, too: it would tell of the block that it came with
        data = {"user": user.handle, "by": by.handle}
        tell_host_side(room, {"type": "removal_undone", "room": room.slug, "data": data})


def keep_cookies(room: Room, user: User, macs: Collection[str]) -> None:
    """Keep listener cookies (`identity.listener_mac`) with the removal of an account, if it is still removed."""
    removals = Removal.objects.filter(REMOVED, room=room, user=user).order_by("-listed", "pk")
    known = RemovedListener.objects.filter(removal__in=removals, mac__in=macs).values("mac").distinct()
    if known.count() == len(set(macs)):
        return  # asked at each refused visit: the room is locked for something new only
    with locked(room.pk):
        removal = removals.first()
        if removal is not None:
            _keep(removal, macs)


def _open_removal(room: Room, user: User) -> Removal | None:
    return Removal.objects.filter(room=room, user=user, undone_at=None, listed=True).first()


def _was_here(room: Room, user: User) -> bool:
    """Whether the host's side may have seen a person in the room: on stage or in the queue at any time, or here now.

    One who listens unseen is not: a block would ask whether they are here."""
    if any(rows.filter(room=room, user=user).exists() for rows in (Seat.objects.all(), Hand.objects.all())):
        return True
    if facts_of(room, user).listens_unseen:
        return False
    try:
        return presence.look(room.pk, [presence.user_key(user.pk)])[1][0]
    except RedisError as error:
        log.warning("whether a blocked person is here is not known, Redis is away: %s", error)
        return False


def _keep_out(room: Room, user: User, by: User) -> Removal:
    """Keep out a blocked person who was not seen here, as long as the block stands. Invitations by others stay as they
    are: while they give no right, the host's side would read from a change who blocks whom."""
    removal, _created = Removal.objects.get_or_create(room=room, user=user, by=by, undone_at=None, listed=False)
    _keep(removal, _cookies(room, user))
    account_changed(user, f"kept out of room {room.pk}")
    return removal


def _keep(removal: Removal, macs: Collection[str]) -> None:
    """Keep cookies with a removal, in its locked room; anonymous connections with one of them end after the commit."""
    known = set(removal.listeners.values_list("mac", flat=True))
    new = sorted(set(macs) - known)[: max(0, MOST_KEPT - len(known))]
    if new:
        RemovedListener.objects.bulk_create(RemovedListener(removal=removal, mac=mac) for mac in new)
        standing_changed(removal.room, "listener cookies of a removed account")


def _cookies(room: Room, user: User) -> list[str]:
    """MACs of the listener cookies that the account's browsers sent in this room; none while Redis is away."""
    try:
        return presence.cookies_of_account(room.pk, user.pk)
    except RedisError as error:
        log.warning("listener cookies of a removed account are not known, Redis is away: %s", error)
        return []
