"""Consent of speakers to live captions."""

from __future__ import annotations

from django.db.models import Exists, OuterRef

from people.models import User
from rooms.models import CaptionsOff, Room


def may_caption(room: Room, person: User) -> bool:
    """Whether what this person says in the room may be shown as captions now: where the room is captioned, and the
    person did not say no. Reads both anew, whatever was loaded before."""
    off = CaptionsOff.objects.filter(room=OuterRef("pk"), user=person, until=None)
    return Room.objects.filter(~Exists(off), pk=room.pk, transcription=True).exists()
