"""The microphone of a seat, held by at most one page of its person; a newly opened page does not take it."""

from __future__ import annotations

from people.models import User
from rooms import presence
from rooms.actions.locking import locked, media_changed
from rooms.models import Room, Seat
from rooms.rules import permissions
from rooms.rules.facts import facts_of, open_seat
from rooms.rules.refusals import RoomRefused, refuse
from rooms.wire.events import append_event
from rooms.wire.sides import tell


def hold_microphone(room_id: int, user: User, page: str, *, take: bool) -> Seat:
    """Give the microphone to a page. If another page that is still open holds it, it moves only with `take` (the person
    asked for it). After a move it stays closed until the new page opens it.

    Raises not_on_stage, mic_elsewhere, and the codes of `permissions.may_open_microphone`.
    """
    gone = _page_gone(room_id, user)
    with locked(room_id) as room:
        refuse(permissions.may_open_microphone(facts_of(room, user)))
        seat = _seat(room, user)
        holder = seat.mic_page
        if holder == page:
            return seat
        if holder and not take and holder != gone:
            raise RoomRefused("mic_elsewhere")
        _move(room, seat, page, close=bool(holder))
    return seat


def release_microphone(room_id: int, user: User, page: str) -> None:
    """Close the microphone and release it from this page, or from a page that is gone.

    Raises not_on_stage, room_ended; mic_elsewhere when another open page holds it, and then changes nothing.
    """
    gone = _page_gone(room_id, user)
    with locked(room_id) as room:
        refuse(permissions.live(room.status))
        seat = _seat(room, user)
        if seat.mic_page not in ("", page, gone):
            raise RoomRefused("mic_elsewhere")
        _move(room, seat, "", close=True)


def _page_gone(room_id: int, user: User) -> str | None:
    """The page that holds the microphone if it is not open any more, else None. Read before the room is locked."""
    seat = Seat.objects.filter(room=room_id, user=user, left_at=None).first()
    if seat is None or not seat.mic_page:
        return None
    return None if presence.page_is_open(room_id, presence.user_key(user.pk), seat.mic_page) else seat.mic_page


def _seat(room: Room, user: User) -> Seat:
    seat = open_seat(room, user)
    if seat is None:
        raise RoomRefused("not_on_stage")
    return seat


def _move(room: Room, seat: Seat, page: str, *, close: bool) -> None:
    if seat.mic_page != page:
        seat.mic_page = page
        seat.save(update_fields=["mic_page"])
        tell(seat.user_id, {"type": "mic_moved", "room": room.slug, "page": page})
        media_changed(room)
    if close and not seat.muted:
        switch_microphone(room, seat, True, None)


def switch_microphone(room: Room, seat: Seat, muted: bool, by: User | None) -> None:
    """Close or open a microphone in a locked room, and publish it.

    `by` is the host or co-host who closed somebody else's; None where it is one's own.
    """
    seat.muted = muted
    save_microphone(room, seat, by)
    if by is not None:
        tell(seat.user_id, {"type": "you_muted", "room": room.slug, "by": by.handle, "held": seat.mute_held})


def save_microphone(room: Room, seat: Seat, by: User | None) -> None:
    """Save in a locked room whether a microphone is closed and held, and publish it; `by` as in `switch_microphone`."""
    seat.save(update_fields=["muted", "mute_held"])
    by_handle = by.handle if by else None
    append_event(
        room, "seat_muted", {"user": seat.user.handle, "muted": seat.muted, "held": seat.mute_held, "by": by_handle}
    )
    media_changed(room)
