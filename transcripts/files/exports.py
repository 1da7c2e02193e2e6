"""The transcript in a download of everything: in all formats, where transcription was on and something was written."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from rooms.hooks import export_texts
from rooms.models import Room
from transcripts.files.formats import FORMATS
from transcripts.models import Transcript
from transcripts.queries import about, format_lines


def finished_transcript(room: Room) -> Transcript | None:
    """The room's transcript, if there is one to read."""
    written = (Transcript.State.READY, Transcript.State.FAILED)
    return Transcript.objects.select_related("room").filter(room=room, state__in=written).first()


def _text(kind: str) -> Callable[[Room], Iterator[str] | None]:
    render, _content_type = FORMATS[kind]

    def text(room: Room) -> Iterator[str] | None:
        transcript = finished_transcript(room)
        return None if transcript is None else render(about(transcript), format_lines(transcript))

    return text


for _kind in FORMATS:
    export_texts.register(f"transcript/transcript.{_kind}")(_text(_kind))
