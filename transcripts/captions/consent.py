"""Consent of speakers to live captions, and who is on the stage to be captioned."""

from __future__ import annotations

from datetime import timedelta

from django.db.models import Exists, Max, OuterRef
from django.utils import timezone

from people.models import User
from rooms.models import CaptionsOff, Room, Seat
from rooms.rules import permissions
from rooms.rules.facts import facts_of

LAST_WORDS = timedelta(seconds=10)  # after leaving the stage by oneself, in which the end of a sentence is still shown
BY_ONESELF = (Seat.LeftReason.LEFT, Seat.LeftReason.LOST)


def may_caption(room: Room, person: User) -> bool:
    """Whether what this person says in the room may be shown as captions now: where the room is captioned, and the
    person did not say no. Reads both anew, whatever was loaded before."""
    off = CaptionsOff.objects.filter(room=OuterRef("pk"), user=person, until=None)
    return Room.objects.filter(~Exists(off), pk=room.pk, transcription=True).exists()


def off_until(room: Room) -> dict[int | None, int]:
    """Return up to when nothing was written down, in ms of room time, by account; of everybody under None. What was
    said before then is not shown afterwards."""
    rows = CaptionsOff.objects.filter(room=room, until__isnull=False).order_by()
    return {user: room.room_time(last) for user, last in rows.values_list("user").annotate(Max("until"))}


def is_heard(seat: Seat) -> bool:
    """Whether the person of a seat sits, or stood up just now by themselves and may still take part: somebody who is
    removed, suspended, blocked or deleted right afterwards has no last words."""
    if seat.left_at is None:
        return True
    if seat.left_reason not in BY_ONESELF or seat.left_at < timezone.now() - LAST_WORDS:
        return False
    return permissions.may_take_part(facts_of(seat.room, seat.user)) is None
