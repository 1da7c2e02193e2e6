"""Hooks of rooms, filled by this app and those above it in their `registrations.py`."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
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

PersonalPart = Callable[[Room, User, Any], Any]
"""Returns JSON for one reader who is signed in. The last argument is the reader's `rooms.rules.permissions.Facts`, so
that most readers cost no query."""

personal_parts: Hook[PersonalPart] = Hook("rooms.personal_parts")

KnownVoice = Callable[[int, int], bool]
"""Whether something that a person said in a room is known; takes the primary keys of the room and the person."""

known_voices: Hook[KnownVoice] = Hook("rooms.known_voices")

ExportText = Callable[[Room], Iterable[str] | None]
"""Makes a text of a room, piece by piece; None where the room has nothing of the kind."""

export_texts: Hook[ExportText] = Hook("rooms.export_texts")
"""Texts of the zip of everything, by their name in it: `@export_texts.register("transcript/transcript.vtt")`."""


@dataclass(frozen=True)
class ClipLine:
    """A line of a clip; times are ms of the clip. `name` is the speaker's, told apart from others."""

    start_ms: int
    end_ms: int
    user_pk: int
    name: str
    text: str


@dataclass(frozen=True)
class ClipText:
    """Words of a clip: its lines, and the same as WebVTT."""

    lines: Sequence[ClipLine]
    webvtt: str


ClipTextOf = Callable[[Room, int, int], ClipText | None]
"""Returns what is known to be said in a range of room time, in ms; None where nothing is."""

clip_texts: Hook[ClipTextOf] = Hook("rooms.clip_texts")

StaffAccess = Callable[[int, int], bool]
"""Whether an account may listen in to a live room as staff; takes the primary keys of account and room. The caller has
checked the account's standing and second step, and that it has no part in the room as rooms know it."""

staff_access: Hook[StaffAccess] = Hook("rooms.staff_access")


class MediaTap(ABC):
    """A child process that receives a live room's mix, beside leveller and recorder, which never depend on it.

    Register the class: `@media_taps.register("captions")`. Each live room has an instance of its own, in the media
    supervisor, which starts the process again whenever it ends. All methods are called in the supervisor's event loop:
    they must not wait, and not touch a disk.
    """

    required = False  # whether `/readyz` shows it (part `loops`, degraded) while it fails; else it is only logged

    def __init__(self, room_pk: int) -> None:
        self.room_pk = room_pk

    @abstractmethod
    def command(self, mix: Sequence[str | bytes]) -> Sequence[str | bytes]:
        """Return the command line for one start; it ends with its parent.

        `mix` begins it: ffmpeg, which receives and levels the mix (48 kHz, mono); put output options behind. A word of
        bytes reaches the process as the path of a file in memory, so that keys stand in no command line.
        """

    def output(self) -> Path | None:
        """Return a file that a healthy process changes every second; one that left it alone for four seconds is ended
        and started again. None: only whether the process lives is watched."""
        return None


media_taps: Hook[type[MediaTap]] = Hook("rooms.media_taps")
