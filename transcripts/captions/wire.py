"""Messages of live captions, out of lines of words. Pure; their types are in the room's vocabulary (`rooms.wire`)."""

from __future__ import annotations

from collections.abc import Sequence

from rooms.wire.events import Caption, CaptionsLevel, CaptionsState
from rooms.wire.sides import Sided
from transcripts.speech.stitch import Word

SHOWN_LINES = 12  # of a room, in its snapshot


def caption(person: str, line: int, words: Sequence[Word], draft: str = "", *, at: int, final: bool = False) -> Caption:
    """Build the message of a line by the person with this handle; times are ms of room time."""
    return {
        "type": "caption",
        "person": person,
        "line": line,
        "confirmed": [(word.text.strip(), word.start_ms, word.end_ms) for word in words],
        "draft": draft.strip(),
        "final": final,
        "at": at,
    }


def captions_state(state: CaptionsLevel, person: str | None = None) -> CaptionsState:
    """Build the message that captions of a room, or of one person, are written in another way from now on."""
    return {"type": "captions_state", "state": state, "person": person}


def caption_language(slug: str, heard: str, expected: str) -> Sided:
    """Build the message to the host's side that another language is heard than the room's."""
    return {"type": "caption_language", "room": slug, "data": {"heard": heard, "expected": expected}}
