"""Which of a person's pages holds the microphone of their seat. One does at most, and a page that opens takes none."""

from __future__ import annotations

from people.models import User
from rooms import presence
from rooms.actions.locking import locked, media_changed
from rooms.models import Room, Seat
from rooms.rules import permissions
from rooms.rules.facts import facts_of, open_seat
from rooms.rules.refusals import RoomRefused, refuse
from rooms.wire.events import append_event, tell


def hold_microphone(room_id: int, user: User, page: str, *, take: bool) -> Seat:
    """Give the microphone to a page. One that another page holds moves only if this one takes it (`take`: the person
    asked for it), and is closed then until this page opens it; from a page that is gone it always moves.

    Raises not_on_stage, mic_elsewhere, and what keeps this person from speaking.
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
    """This page does not speak: it, and a page that is gone, hold the microphone no more, and it is closed.

    Raises not_on_stage, room_ended; mic_elsewhere when another page holds it, which goes on.
    """
    gone = _page_gone(room_id, user)
    with locked(room_id) as room:
        refuse(permissions.live(room.status))
        seat = _seat(room, user)
        if seat.mic_page not in ("", page, gone):
            raise RoomRefused("mic_elsewhere")
        _move(room, seat, "", close=True)


def _page_gone(room_id: int, user: User) -> str | None:
    """The page that holds the microphone if it is not open any more. Asked before the room is locked."""
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
        switch(room, seat, True, None)


def switch(room: Room, seat: Seat, muted: bool, by: User | None) -> None:
    """Write and tell that a microphone is closed or open, in a room that the caller holds locked.

    `by` is the helper who did that to somebody else.
    """
    seat.muted = muted
    seat.save(update_fields=["muted"])
    by_handle = by.handle if by else None
    append_event(room, "seat_muted", {"user": seat.user.handle, "muted": muted, "by": by_handle})
    if by is not None:
        tell(seat.user_id, {"type": "you_muted", "room": room.slug, "by": by_handle})
    media_changed(room)
