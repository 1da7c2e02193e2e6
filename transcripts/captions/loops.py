"""Loops: Whisper repeats a phrase when it does not know what comes next. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from transcripts.speech.stitch import Word, normalized

PHRASE = 5  # words that nobody says twice at once
MOST_A_SECOND = 5.5  # words; about seven tokens
FASTEST = 10.0  # words a second, beyond which they were not said


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


def without_loops(said: Sequence[Word], words: Sequence[Word]) -> tuple[Word, ...]:
    """Return the words heard after those that were said, without a phrase that only repeats what is before it: Whisper
    finds no sound for it, so all of it stands at one moment. A phrase that somebody does say twice has its time."""
    kept = [*said, *words]
    at = len(said)
    while at < len(kept):
        size = _repeated(kept, at)
        del kept[at : at + size]
        at += not size
    return tuple(kept[len(said) :])


def _repeated(words: Sequence[Word], at: int) -> int:
    """The number of words that begin at a place and repeat those before it, faster than anybody speaks; 0 for none. At
    the end a phrase may be broken off."""
    plain = [normalized(word.text) for word in words]
    for size in range(PHRASE, at + 1):
        phrase = plain[at : at + size]
        if len(phrase) >= PHRASE and phrase == plain[at - size : at - size + len(phrase)]:
            seconds = (words[at + len(phrase) - 1].end_ms - words[at].start_ms) / 1000
            if seconds < len(phrase) / FASTEST:
                return len(phrase)
    return 0
