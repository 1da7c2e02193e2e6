"""The words of a clip of a room: the lines of its transcript in a range, cut to it."""

from __future__ import annotations

from dataclasses import replace

from rooms.hooks import ClipLine, ClipText, clip_texts
from rooms.models import Room
from transcripts.files.formats import label, shown_text, webvtt
from transcripts.models import Transcript
from transcripts.queries import cues_in_order, file_header, format_line, speaker_labels


@clip_texts.register("transcripts")
def clip_text(room: Room, from_ms: int, to_ms: int) -> ClipText | None:
    """The lines that overlap a range of room time, in ms of the clip; None where there is no transcript, or none in
    it."""
    transcript = Transcript.objects.select_related("room").filter(room=room, room__purged_at=None).first()
    if transcript is None:
        return None
    called = speaker_labels(transcript)
    cues = list(cues_in_order(transcript).filter(end_ms__gt=from_ms, start_ms__lt=to_ms))
    lines = [
        replace(
            format_line(cue, called),
            start_ms=max(cue.start_ms, from_ms) - from_ms,
            end_ms=min(cue.end_ms, to_ms) - from_ms,
        )
        for cue in cues
    ]
    if not lines:
        return None
    shown = [
        ClipLine(line.start_ms, line.end_ms, cue.seat.user_id, label(line), shown_text(line))
        for line, cue in zip(lines, cues, strict=True)
    ]
    return ClipText(shown, "".join(webvtt(file_header(transcript), lines)))
