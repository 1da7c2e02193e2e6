"""Loops: Whisper repeats a phrase when it does not know what comes next. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from transcripts.speech.stitch import normalized

PHRASE = 5  # words that nobody says twice at once
MOST_A_SECOND = 5.5  # words; about seven tokens


def is_loop(words: Sequence[str], seconds: float) -> bool:
    """Whether words are a loop: a phrase of PHRASE words twice back to back, or more than anybody says in that time."""
    plain = [text for text in map(normalized, words) if text]
    if len(plain) > MOST_A_SECOND * max(2.0, seconds):
        return True
    return any(
        plain[at : at + size] == plain[at + size : at + 2 * size]
        for size in range(PHRASE, len(plain) // 2 + 1)
        for at in range(len(plain) - 2 * size + 1)
    )
