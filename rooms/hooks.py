"""Hooks of rooms, filled by this app and those above it in their `registrations.py`."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from django.dispatch import Signal

from core.hooks import Hook
from people.models import User
from rooms.models import Room

# A room's recording is finished: its files stand in the database. Sent with `recording`, inside the transaction that
# made it ready; sent again when a recording is finished a second time.
recording_ready = Signal()

SnapshotPart = Callable[[Room], Any]
"""Returns JSON that is the same for everybody; read once for all who ask within a second."""

snapshot_parts: Hook[SnapshotPart] = Hook("rooms.snapshot_parts")

PersonalPart = Callable[[Room, User], Any]
"""Returns JSON for one reader who is signed in."""

personal_parts: Hook[PersonalPart] = Hook("rooms.personal_parts")

KnownVoice = Callable[[int, int], bool]
"""Whether something that a person said in a room is known; takes the primary keys of the room and the person."""

known_voices: Hook[KnownVoice] = Hook("rooms.known_voices")

ExportText = Callable[[Room], Iterable[str] | None]
"""Makes a text of a room, piece by piece; None where the room has nothing of the kind."""

export_texts: Hook[ExportText] = Hook("rooms.export_texts")
"""Texts of the zip of everything, by their name in it: `@export_texts.register("transcript/transcript.vtt")`."""
