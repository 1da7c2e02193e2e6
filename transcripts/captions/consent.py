"""Consent of speakers to live captions."""

from __future__ import annotations

from people.models import User
from rooms.models import Room


def may_caption(room: Room, person: User) -> bool:
    """Whether what this person says in the room may be shown as captions: where the room is transcribed."""
    return room.transcription
