"""A name or picture that changes while its person is on a stage, asks to speak or hosts: shown at once. A name that
moderators removed is drawn out of clips."""

from __future__ import annotations

from functools import partial
from typing import Any

from core.batches import run_each
from people.models import ProfileTakedown
from rooms.actions.locking import locked
from rooms.actions.seating import connected_people, seats_changed
from rooms.models import Clip, Hand, Room, Seat
from rooms.recording.clips import making
from rooms.wire.sides import hand_state, tell_host_side


def on_profile_changed(sender: Any, user_pk: int, taken_down: bool = False, **_more: Any) -> None:
    """Receive `people.signals.profile_changed`, after the commit. A failure in one room is logged; the others are still
    handled."""
    live = Room.Status.LIVE
    rooms = {
        *Room.objects.filter(host=user_pk, status=live).values_list("pk", flat=True),
        *Seat.objects.filter(user=user_pk, left_at=None, room__status=live).values_list("room_id", flat=True),
        *Hand.objects.filter(user=user_pk, lowered_at=None, room__status=live).values_list("room_id", flat=True),
    }
    run_each(sorted(rooms), partial(show_profile, user_pk), "showing the name and picture of an account")
    if taken_down:
        clips = Clip.objects.filter(voices__user=user_pk, kind=Clip.Kind.VIDEO, room__purged_at=None)
        with_voice = set(clips.values_list("room_id", flat=True))
        run_each(sorted(with_voice), partial(draw_again, user_pk), "drawing clips without a name")


def draw_again(user_pk: int, room_id: int) -> None:
    """Have the videos of a room with a person's voice made anew while the takedown of their name stands."""
    with locked(room_id):
        kind = ProfileTakedown.Kind.PROFILE
        if ProfileTakedown.objects.filter(user=user_pk, kind=kind, lifted_at=None).exists():
            making.make_again(room_id, voice=user_pk)


def show_profile(user_pk: int, room_id: int) -> None:
    """Publish a person's name and picture as they are now: to everybody where they are on stage or host, to the host's
    side where their hand is up. Nothing where none of it is so any more."""
    connected = connected_people(room_id)
    with locked(room_id) as room:
        if not room.is_live:
            return
        hand = Hand.objects.select_related("user").filter(room=room, user=user_pk, lowered_at=None).first()
        if hand is not None:
            tell_host_side(room, {"type": "hand_raised", "room": room.slug, "data": hand_state(hand)})
        if room.host_id == user_pk or Seat.objects.filter(room=room, user=user_pk, left_at=None).exists():
            seats_changed(room, connected)
