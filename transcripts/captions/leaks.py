"""Leaks: another person's voice in a microphone, which Whisper writes down as well as the real one. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from transcripts.speech.stitch import Word, normalized

LOUDER_DB = 12.0  # by which the other voice is louder where a leak is looked for
MUCH_LOUDER_DB = 30.0  # by which it is, that nothing said at the same time could be anything else
ALIKE = 0.5  # share of words that the other person says at that time


def is_leak(own: Sequence[Word], own_db: float, other: Sequence[Word], other_db: float) -> bool:
    """Whether words are those of another person, from the loudness of both at that time and what the other says."""
    if not own or other_db - own_db < LOUDER_DB:
        return False
    return other_db - own_db >= MUCH_LOUDER_DB or alike(own, other) >= ALIKE


def alike(own: Sequence[Word], other: Sequence[Word]) -> float:
    """Return the share of the first words that are among the others, each counted once."""
    left = [normalized(word.text) for word in other]
    common = 0
    for word in own:
        plain = normalized(word.text)
        if plain in left:
            left.remove(plain)
            common += 1
    return common / len(own) if own else 0.0
