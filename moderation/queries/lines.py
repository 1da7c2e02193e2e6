"""Lines of transcripts by their reference, as evidence quotes them."""

from __future__ import annotations

from dataclasses import dataclass

from people.labels import printable
from rooms.models import Room
from transcripts.models import Cue, RangeCue


@dataclass(frozen=True, slots=True)
class QuotedLine:
    """A line as it stands now; `speaker` is the key of an account."""

    speaker: int | None
    name: str
    start_ms: int
    end_ms: int
    text: str


def spoken_line(room: Room, reference: str) -> QuotedLine | None:
    """Find a line of a room by its reference ("cue:12", "range:7"); None where the room has no such line."""
    source, _colon, number = reference.partition(":")
    if not (number.isascii() and number.isdigit() and len(number) < 19) or room.purged_at is not None:
        return None
    return _SOURCES[source](room, int(number)) if source in _SOURCES else None


def _cue(room: Room, pk: int) -> QuotedLine | None:
    cue = Cue.objects.select_related("seat__user").filter(pk=pk, transcript__room=room).first()
    if cue is None:
        return None
    user = cue.seat.user
    return QuotedLine(user.pk, printable(user.display_name), cue.start_ms, cue.end_ms, cue.shown_text)


def _of_range(room: Room, pk: int) -> QuotedLine | None:
    cue = RangeCue.objects.select_related("speaker").filter(pk=pk, range__room=room).first()
    if cue is None:
        return None
    return QuotedLine(cue.speaker_id, printable(cue.speaker.display_name), cue.start_ms, cue.end_ms, cue.text)


_SOURCES = {"cue": _cue, "range": _of_range}
