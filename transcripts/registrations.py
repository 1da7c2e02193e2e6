"""Everything that this app adds to hooks and signals of rooms."""

from __future__ import annotations

from typing import Any

from rooms.hooks import known_voices, recording_ready
from transcripts.actions import request_transcript
from transcripts.files import exports as _exports  # noqa: F401  # registers the transcript's files
from transcripts.queries import has_lines

known_voices.register("transcripts")(has_lines)


def on_recording_ready(recording: Any, **_more: Any) -> None:
    """Receiver of `recording_ready`: its transcript can be written."""
    request_transcript(recording)


recording_ready.connect(on_recording_ready, dispatch_uid="transcripts")
