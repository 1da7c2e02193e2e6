"""Part `captions` of a room's snapshot."""

from __future__ import annotations

from rooms.models import Room
from rooms.wire.snapshot import Captions
from transcripts.captions import state, wire
from transcripts.captions.actions import last_lines
from transcripts.models import LiveLine
from transcripts.speech.stitch import Word


def captions_part(room: Room) -> Captions:
    """Return the last lines of a room and how captions are written now; nothing where it has none."""
    if not room.transcription or room.purged_at is not None or room.status != Room.Status.LIVE:
        return {"state": "off", "without": [], "lines": []}
    level, without = state.room_state(room.pk)
    lines = [
        wire.caption(row.speaker.handle, row.line, words_of(row), at=row.started_ms, final=row.final)
        for row in last_lines(room.pk)
    ]
    return {"state": level, "without": without, "lines": lines}


def words_of(row: LiveLine) -> tuple[Word, ...]:
    """Return the words of a kept line, with a space before each as the engine writes them."""
    return tuple(Word(f" {text}", start_ms, end_ms, 1.0) for text, start_ms, end_ms in row.words)
