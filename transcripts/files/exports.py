"""The transcript in all formats, for the download of everything: where there is a finished transcript."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from rooms.hooks import export_texts
from rooms.models import Room
from transcripts.files.formats import FORMATS
from transcripts.models import Transcript
from transcripts.queries import file_header, format_lines


def finished_transcript(room: Room) -> Transcript | None:
    """Get the room's transcript if it is finished (ready or failed), else None."""
    written = (Transcript.State.READY, Transcript.State.FAILED)
    return Transcript.objects.select_related("room").filter(room=room, state__in=written).first()


def _text(kind: str) -> Callable[[Room], Iterator[str] | None]:
    render, _content_type = FORMATS[kind]

    def text(room: Room) -> Iterator[str] | None:
        transcript = finished_transcript(room)
        return None if transcript is None else render(file_header(transcript), format_lines(transcript))

    return text


for _kind in FORMATS:
    export_texts.register(f"transcript/transcript.{_kind}")(_text(_kind))
