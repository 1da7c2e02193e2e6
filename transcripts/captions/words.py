"""Words of live captions: two hearings that agree confirm them, and lines are made of them. Pure.

This is LocalAgreement-2: a word is confirmed when two hearings of growing sound, one after the other, both have it
after the same confirmed words. A confirmed word never changes.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from transcripts.lines.breaks import ends_sentence
from transcripts.speech.stitch import SHORTEST_MS, Word, normalized

PAUSE_MS = 700  # a pause that ends a line
LINE_LETTERS = 74  # two rows of 37, as pages show them (static/js/room/core/line_breaks.js)
LINE_MS = 7000
SENTENCE_LETTERS = 24  # a sentence shorter than this does not end a line
ENDS = (".", "?", "!", "…")
_OPENING = "\"'“¿([{-"


def with_punctuation(words: Iterable[Word]) -> tuple[Word, ...]:
    """Join signs that stand alone, and what has no space before it, to the word before; opening ones to that behind."""
    joined: list[Word] = []
    opening = ""
    for word in words:
        if not normalized(word.text):
            if word.text.strip() and word.text.strip() in _OPENING and word.text.startswith(" "):
                opening += word.text
            elif joined:
                joined[-1] = replace(joined[-1], text=joined[-1].text + word.text)
            continue
        if joined and not opening and not word.text.startswith(" "):
            before = joined[-1]
            joined[-1] = replace(before, text=before.text + word.text, end_ms=word.end_ms, p=min(before.p, word.p))
            continue
        joined.append(replace(word, text=opening + (word.text.lstrip() if opening else word.text)))
        opening = ""
    return tuple(joined)


@dataclass(frozen=True, slots=True)
class Agreement:
    """Words of a stretch of speech: `confirmed`, and the `draft` that the last hearing had after them."""

    confirmed: tuple[Word, ...] = ()
    draft: tuple[Word, ...] = ()

    def heard(self, words: Sequence[Word]) -> Agreement:
        """Confirm what this hearing has in common with the last one; both are what follows the confirmed words."""
        common = 0
        for before, now in zip(self.draft, words, strict=False):
            if normalized(before.text) != normalized(now.text):
                break
            common += 1
        return Agreement(self._with(words[:common]), tuple(words[common:]))

    def finished(self, words: Sequence[Word]) -> Agreement:
        """Confirm all of the last hearing of a stretch."""
        return Agreement(self._with(words), ())

    def _with(self, words: Sequence[Word]) -> tuple[Word, ...]:
        """Append words, each placed behind the one before it."""
        confirmed = list(self.confirmed)
        for word in words:
            floor = confirmed[-1].end_ms if confirmed else word.start_ms
            start = max(word.start_ms, floor)
            confirmed.append(replace(word, start_ms=start, end_ms=max(word.end_ms, start + SHORTEST_MS)))
        return tuple(confirmed)


def shifted(words: Iterable[Word], by_ms: int) -> tuple[Word, ...]:
    """Return the same words later by so many ms."""
    return tuple(replace(word, start_ms=word.start_ms + by_ms, end_ms=word.end_ms + by_ms) for word in words)


def text_of(words: Iterable[Word]) -> str:
    """Return words as they are read."""
    return "".join(word.text for word in words).strip()


def into_lines(current: Sequence[Word], new: Sequence[Word], language: str) -> list[tuple[Word, ...]]:
    """Append words to a line, and begin another one where it would be too long, or a sentence or a pause ends it.

    Returns the lines, the first of which begins with `current`; only the last one may go on.
    """
    lines: list[list[Word]] = [list(current)]
    for word in new:
        if lines[-1] and ends_before(lines[-1], word, language):
            lines.append([])
        lines[-1].append(word)
    return [tuple(line) for line in lines]


def ends_before(current: Sequence[Word], word: Word, language: str) -> bool:
    """Whether a line ends before a word. Lines are begun before the rest is known: those of a transcript are better."""
    last = current[-1]
    letters = sum(len(each.text) for each in current)
    return (
        word.start_ms - last.end_ms >= PAUSE_MS
        or (letters >= SENTENCE_LETTERS and ends_sentence((last.text.strip(), word.text.strip()), 0, language))
        or letters + len(word.text) > LINE_LETTERS
        or word.end_ms - current[0].start_ms > LINE_MS
    )
