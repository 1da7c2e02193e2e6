"""Registrations with hooks and signals of rooms."""

from __future__ import annotations

from typing import Any

from rooms.hooks import known_voices, recording_ready, snapshot_parts
from transcripts import clips as _clips  # noqa: F401  # registers what is said in a clip
from transcripts import ledger_texts as _ledger_texts  # noqa: F401  # registers words of ledger entries
from transcripts import own_data as _own_data  # noqa: F401  # registers what is kept of a person
from transcripts.actions import request_transcript
from transcripts.captions.snapshot import captions_part
from transcripts.files import exports as _exports  # noqa: F401  # registers the transcript's files
from transcripts.queries import has_lines

known_voices.register("transcripts")(has_lines)
snapshot_parts.register("captions")(captions_part)


def on_recording_ready(recording: Any, **_more: Any) -> None:
    """Request the transcript of a recording whose files are ready (receiver of `recording_ready`)."""
    request_transcript(recording)


recording_ready.connect(on_recording_ready, dispatch_uid="transcripts")
