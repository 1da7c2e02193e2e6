"""Loops: Whisper repeats a phrase when it does not know what comes next. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from transcripts.speech.stitch import Word, normalized

PHRASE = 5  # words that nobody says twice at once
MOST_A_SECOND = 5.5  # words; about seven tokens
FASTEST = 10.0  # words a second; faster ones were not said
AT_ONE_MOMENT = 50.0  # … nor were the first words of a longer phrase that is broken off


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


def is_new_loop(said: Sequence[Word], words: Sequence[Word], seconds: float) -> bool:
    """Whether words are a loop, by themselves or with those that were said in the same sound. Where somebody did say a
    phrase twice, what follows is none for that."""
    before, after = ([word.text for word in some] for some in (said, words))
    return is_loop(after, seconds) or (is_loop([*before, *after], seconds) and not is_loop(before, seconds))


def without_echoes(said: Sequence[Word], words: Sequence[Word]) -> tuple[Word, ...]:
    """Return the words heard after those that were said, without a phrase that only repeats what is before it: Whisper
    finds no sound for it, so all of it stands at one moment. A phrase that somebody does say twice has its time."""
    kept = [*said, *words]
    plain = [normalized(word.text) for word in kept]
    at = len(said)
    while at < len(kept):
        size = _repeated(kept, plain, at)
        del kept[at : at + size], plain[at : at + size]
        at += not size
    return tuple(kept[len(said) :])


def _repeated(words: Sequence[Word], plain: Sequence[str], at: int) -> int:
    """Return how many words from `at` on repeat those before them faster than anybody speaks; 0 for none. The last
    repetition may be broken off."""
    for size in range(PHRASE, at + 1):
        phrase = plain[at : at + size]
        if len(phrase) < PHRASE or phrase != plain[at - size : at - size + len(phrase)]:
            continue
        seconds = (words[at + len(phrase) - 1].end_ms - words[at].start_ms) / 1000
        if seconds < len(phrase) / (FASTEST if len(phrase) == size else AT_ONE_MOMENT):
            return len(phrase)
    return 0
