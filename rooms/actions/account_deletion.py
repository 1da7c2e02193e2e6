"""Changes in rooms that follow from the deletion of an account. It leaves them before it loses its name, so that
everybody there can follow; then it is renamed in their logs. Rows of rooms and seats stay until the purge, which comes
on its day."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any

from django.db import connection
from django.db.models import Q
from django.utils import timezone

from ledger.actions import Act
from people.deleted import WRITTEN_NAME
from people.hooks import Former
from rooms.actions.clips import lock_clips_of, take_back_of
from rooms.actions.hand_over import hand_over_to_cohost
from rooms.actions.hand_queue import lower_hands
from rooms.actions.invitation_rows import revoke_all
from rooms.actions.opening import end_room
from rooms.actions.preparing import cancel_for
from rooms.actions.seating import connected_people, stand_up
from rooms.models import (
    Hand,
    HandOver,
    Invitation,
    ListenerChoice,
    PersonalLink,
    Recording,
    Removal,
    Room,
    RoomEvent,
    Seat,
    StayingFollower,
)
from rooms.recording.delivery import exports
from rooms.rules.refusals import RoomRefused

log = logging.getLogger(__name__)
INITIALS = "DP"
RENAMES = 0x5245_4E4D  # "RENM": the advisory lock under which deletions write logs anew
HANDLES = ("user", "by", "host", "former")  # fields of events that hold a handle (`rooms/wire/events.py`)


def leave_rooms(user_pk: int) -> None:
    """Give up live rooms, cancel prepared ones, stand up, lower hands and revoke invitations; in the transaction of a
    deletion, before it locks the account.

    All rooms are locked first, in order, then clips: accounts come after both. A room that the account comes into
    meanwhile is left by the sweep (`rooms/actions/standing.py`).
    """
    over = Q(status__in=[Room.Status.ENDED, Room.Status.CANCELLED])
    theirs = Room.objects.filter(~over).filter(
        Q(host=user_pk)
        | Q(pk__in=Seat.objects.filter(user=user_pk, left_at=None).values("room"))
        | Q(pk__in=Hand.objects.filter(user=user_pk, lowered_at=None).values("room"))
        | Q(pk__in=Invitation.objects.filter(user=user_pk).values("room"))
    )
    connected = {pk: connected_people(pk) for pk in theirs.values_list("pk", flat=True)}
    rooms = list(Room.objects.select_for_update(no_key=True).filter(pk__in=connected).order_by("pk"))
    lock_clips_of(user_pk)
    for room in rooms:
        if room.is_live and room.host_id == user_pk:
            _give_up(room, connected[room.pk])
    cancel_for(user_pk, Room.CancelReason.HOST)
    for room in Room.objects.filter(pk__in=connected, status__in=[Room.Status.LIVE, Room.Status.SCHEDULED]):
        seat = Seat.objects.select_related("user").filter(room=room, user=user_pk, left_at=None).first()
        if seat is not None:
            stand_up(room, seat, Seat.LeftReason.LEFT)
        lower_hands(room, {user_pk: Hand.Outcome.LEFT})
        revoke_all(room, user_pk)


def _give_up(room: Room, connected: Mapping[int, bool]) -> None:
    """Hand a room to a co-host who is present and may have it, else end it."""
    try:
        if hand_over_to_cohost(room.pk, room.host_id, HandOver.Reason.GIVEN, connected):
            return
    except RoomRefused as refused:  # Redis is away: whom the entry policy would put out is not known
        log.warning("room %s ends with the account of its host: %s", room.pk, refused.code)
    end_room(room.pk, None, Room.EndReason.HOST)


def rename_in_rooms(former: Former) -> list[Act]:
    """Withdraw the replays of the rooms that the account hosts, delete clips that it made or that it is heard in, end
    what it still could do by links, and rename it in the logs of all rooms. Returns entries of replays and clips."""
    published = Recording.objects.filter(room__host=former.pk).filter(
        Q(announced_at__isnull=False) | Q(published_at__isnull=False)
    )
    rooms = sorted(published.values_list("room", flat=True))
    published.update(announced_at=None, published_at=None, published_by=None)
    PersonalLink.objects.filter(by=former.pk, used_at=None, revoked_at=None).update(revoked_at=timezone.now())
    ListenerChoice.objects.filter(user=former.pk).delete()
    StayingFollower.objects.filter(user=former.pk).delete()
    # Two who were in one room would each write the same events anew. Not the room's own lock: accounts come after it.
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [RENAMES])
    for pk in rooms_with(former.pk):
        _rename_in_log(pk, former)
    return [*(Act("replay_withdrawn", f"room:{pk}", former.pk) for pk in rooms), *take_back_of(former.pk)]


def forget_in_files(user_pk: int) -> None:
    """Delete the texts of downloads that were made before with the account's name: they are made anew when wanted."""
    for pk in rooms_with(user_pk):
        exports.discard_all(pk)


def rooms_with(user_pk: int) -> list[int]:
    """Rooms whose copy is kept and whose log may name an account."""
    rooms = Room.objects.filter(purged_at=None).filter(
        Q(host=user_pk)
        | Q(pk__in=Seat.objects.filter(user=user_pk).values("room"))
        | Q(pk__in=HandOver.objects.filter(Q(former=user_pk) | Q(to=user_pk)).values("room"))
        | Q(pk__in=Hand.objects.filter(user=user_pk).values("room"))
        | Q(pk__in=Removal.objects.filter(Q(user=user_pk) | Q(by=user_pk)).values("room"))
    )
    return list(rooms.order_by("pk").values_list("pk", flat=True))


def _rename_in_log(room_pk: int, former: Former) -> None:
    """Write the events anew that name the account, for they are never edited; each keeps its number and times."""
    renamed: list[RoomEvent] = []
    for event in RoomEvent.objects.filter(room=room_pk):
        data = renamed_in(event.data, former)
        if data != event.data:
            event.data = data
            renamed.append(event)
    RoomEvent.objects.filter(pk__in=[event.pk for event in renamed]).delete()
    for event in renamed:
        event.pk = None
    RoomEvent.objects.bulk_create(renamed, batch_size=1000)


def renamed_in(data: Any, former: Former) -> Any:
    """Return an event's data with the account's new handle, and without its name and picture."""
    if isinstance(data, list):
        return [renamed_in(one, former) for one in data]
    if not isinstance(data, dict):
        return data
    changed = {name: renamed_in(value, former) for name, value in data.items()}
    changed |= {name: former.new_handle for name in HANDLES if data.get(name) == former.handle}
    if data.get("user") == former.handle and "name" in data:
        changed |= {"name": WRITTEN_NAME, "initials": INITIALS, "picture": ""}
    if "host_name" in data and _is_host(data, former):
        changed["host_name"] = WRITTEN_NAME
    return changed


def _is_host(data: Mapping[str, Any], former: Former) -> bool:
    """Whether an event about the whole stage names the account as host, whose own place is 0."""
    hosts = [seat.get("user") for seat in data.get("seats", ()) if seat.get("place") == 0]
    return former.handle in hosts or (not hosts and data["host_name"] == former.name)
