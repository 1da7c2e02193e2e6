"""Breaking of speech into cues of one or two lines, the same for transcripts, files, pages and captions. Pure.

Two shortest paths: `break_into_cues` over words with times, once, when speech is written down; `break_into_lines`
over the words of one cue, whenever it is shown. A cue is at most two lines of 42 letters and seven seconds; better a
whole sentence, a second long, and readable at 17 letters a second. Words are never changed, parted or moved.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import accumulate, pairwise
from math import inf
from typing import Generic, Protocol, TypeVar

from transcripts.lines.breaks import break_price, ends_sentence

LINE_LETTERS, EASY_LETTERS = 42, 37  # Netflix' longest line; the BBC's, beyond which a letter costs a little
CUE_LINES = 2
LINES_KEPT = 20_000  # cues of which the lines are kept, some 6 MB: a replay shows all of its own at each request
LONGEST_MS, SHORTEST_MS = 7000, 1000
PAUSE_MS = 1500  # a silence that no cue spans
THINKING_MS = 400  # a pause from which on it had better end a cue
LETTERS_A_SECOND = 17
FEW_LETTERS = 24  # a sentence shorter than this had better share a cue

# Prices, on the scale of `break_price`.
CUE, LINE, SHARED_SENTENCE = 4.0, 1.0, 5.0
UNEVEN, WIDE_LETTER, SHORT, FEW, UNFILLED = 12.0, 0.3, 4.0, 3.0, 3.0
THINKING_SECOND, HASTY_LETTER = 6.0, 0.2
CUE_BREAK = 2.2  # of the price that the same break has between two lines
ONE_LINE_MORE = 1000.0

_SPACES = re.compile(r"[ \t\n]+")  # a no-break space holds words together
DASHES = ("-", "–", "—")


class TimedWord(Protocol):
    """A piece of an engine's output, with the space before it and its marks; times are ms."""

    @property
    def text(self) -> str: ...
    @property
    def start_ms(self) -> int: ...
    @property
    def end_ms(self) -> int: ...


W = TypeVar("W", bound=TimedWord)


@dataclass(frozen=True, slots=True)
class TimedText(Generic[W]):
    """Words in a row: a word and its stray pieces, or all of a cue."""

    words: tuple[W, ...]
    text: str

    @property
    def start_ms(self) -> int:
        return self.words[0].start_ms

    @property
    def end_ms(self) -> int:
        return max(word.end_ms for word in self.words)


def text_of(words: Sequence[W]) -> str:
    """Return the text of words as it is stored and shown, without stray spaces inside words."""
    return " ".join(unit.text for unit in join_pieces(words))


def readable_until(start_ms: int, end_ms: int, letters: int, next_ms: int | None) -> int:
    """Return until when to show a cue that nothing follows before `next_ms`: a second, and 17 letters a second."""
    wanted = start_ms + min(LONGEST_MS, max(SHORTEST_MS, letters * 1000 // LETTERS_A_SECOND))
    return max(end_ms, wanted if next_ms is None else min(wanted, next_ms))


def _glue(before: str, piece: str) -> str | None:
    """Return the space that stands before a piece which belongs to the word before it; None for a new word."""
    bare = piece.strip()
    if bare in DASHES:
        return " " if before[-1:].isspace() or piece[:1].isspace() else ""
    if not (before[-1:].isspace() or piece[:1].isspace()):
        return ""
    part = bare[0] == "-" and bare[1:2].isalpha() and before.rstrip()[-1:].isalnum()  # "self", " -substantial"
    closing = all(letter in ".,;:!?…" for letter in bare)
    return "" if part or closing else None


def join_pieces(words: Sequence[W]) -> list[TimedText[W]]:
    """Join pieces of an engine's output to whole words. Blank pieces belong to the word before them."""
    joined: list[TimedText[W]] = []
    for word in words:
        blank = not word.text.strip()
        glue = "" if blank else _glue(joined[-1].words[-1].text, word.text) if joined else None
        if joined and glue is not None and len(joined[-1].text) < LINE_LETTERS:
            last = joined[-1]
            joined[-1] = TimedText((*last.words, word), (last.text + glue + word.text.strip()).strip())
        else:
            joined.append(TimedText((word,), word.text.strip()))
    return joined


def break_into_cues(words: Sequence[W], language: str) -> list[TimedText[W]]:
    """Break one person's words into cues. No word is lost, and each cue has the times of its words."""
    units = join_pieces(words)
    ends = [at for at, (one, next_one) in enumerate(pairwise(units), 1) if next_one.start_ms - one.end_ms >= PAUSE_MS]
    cues: list[TimedText[W]] = []
    for start, end in pairwise([0, *ends, len(units)]):
        stretch = _Stretch(units[start:end], language)
        for first, last in pairwise(_shortest_path(end - start, stretch.cues_from)):
            parts = stretch.units[first:last]
            spoken = tuple(word for part in parts for word in part.words)
            cues.append(TimedText(spoken, " ".join(part.text for part in parts)))
    return cues


def break_into_lines(text: str, language: str, taken: int = 0) -> list[str]:
    """Break the text of a cue into the fewest lines of 42 letters, of which `taken` are not free in the first.

    A word longer than a line stays whole. Old and corrected cues may need more than two lines.
    """
    return list(_lines(text, language, taken))


@lru_cache(LINES_KEPT)
def _lines(text: str, language: str, taken: int) -> tuple[str, ...]:
    words = _shown_words(text)
    if words and taken + len(" ".join(words)) <= LINE_LETTERS:
        return (" ".join(words),)
    prices = [break_price(words, at, language) for at in range(len(words) - 1)]

    def lines_from(at: int) -> Iterator[tuple[int, float]]:
        letters = -1 if at else taken - 1
        for to in range(at + 1, len(words) + 1):
            letters += 1 + len(words[to - 1])
            if letters > LINE_LETTERS and to > at + 1:
                break
            # The squares of the lines' lengths are least when all are even.
            price = _wide_price(letters) + UNEVEN * (letters / LINE_LETTERS) ** 2
            yield to, ONE_LINE_MORE + price + (prices[to - 1] if to < len(words) else 0)

    return tuple(" ".join(words[first:last]) for first, last in pairwise(_shortest_path(len(words), lines_from)))


def _shown_words(text: str) -> list[str]:
    """Split text at spaces, but not before a dash that stands alone."""
    words: list[str] = []
    for word in _SPACES.split(text.strip(" \t\n")):
        if words and word in DASHES:
            words[-1] += f" {word}"
        elif word:
            words.append(word)
    return words


def _wide_price(letters: int) -> float:
    return WIDE_LETTER * max(0, letters - EASY_LETTERS)


class _Stretch(Generic[W]):
    """Words without a long silence between them, with what the price of a cue is made of, as running totals."""

    def __init__(self, units: Sequence[TimedText[W]], language: str) -> None:
        self.units = units
        texts = [unit.text for unit in units]
        inner = range(len(units) - 1)
        self.pauses = [units[at + 1].start_ms - units[at].end_ms for at in inner]
        self.prices = [break_price(texts, at, language) for at in inner]
        self.letters = list(accumulate((len(text) + 1 for text in texts), initial=0))
        thinking = (THINKING_SECOND * max(0, pause - THINKING_MS) / 1000 for pause in self.pauses)
        self.thinking = list(accumulate(thinking, initial=0.0))
        shared = (SHARED_SENTENCE * ends_sentence(texts, at, language) for at in inner)
        self.shared = list(accumulate(shared, initial=0.0))

    def cues_from(self, first: int) -> Iterator[tuple[int, float]]:
        """Yield the cues that may begin with a word, each with the number of the word behind it and its price."""
        for last in range(first + 1, len(self.units) + 1):
            only = last == first + 1
            lasts = self.units[last - 1].end_ms - self.units[first].start_ms
            if not only and (lasts > LONGEST_MS or self._length(first, last) > CUE_LINES * LINE_LETTERS + 1):
                return
            lines = 0.0 if only else self._lines_price(first, last)
            if lines < inf:
                yield last, CUE + lines + self._inner_price(first, last) + self._end_price(last)

    def _length(self, first: int, last: int) -> int:
        return self.letters[last] - self.letters[first] - 1

    def _lines_price(self, first: int, last: int) -> float:
        """Return the price of the best break into two lines; 0 for one line, infinite where two do not hold it."""
        if self._length(first, last) <= LINE_LETTERS:
            return 0.0
        best = inf
        for middle in range(first + 1, last):
            upper, lower = self._length(first, middle), self._length(middle, last)
            if max(upper, lower) <= LINE_LETTERS:
                uneven = UNEVEN / 2 * ((upper - lower) / LINE_LETTERS) ** 2
                best = min(best, self.prices[middle - 1] + LINE + _wide_price(upper) + _wide_price(lower) + uneven)
        return best

    def _inner_price(self, first: int, last: int) -> float:
        """Return the price of sentences and pauses inside a cue, and of too little of it or too little time."""
        letters = self._length(first, last)
        until = self.units[last].start_ms if last < len(self.units) else self.units[last - 1].end_ms + SHORTEST_MS
        shown_ms = max(1, until - self.units[first].start_ms)
        return (
            self.thinking[last - 1]
            - self.thinking[first]
            + self.shared[last - 1]
            - self.shared[first]
            + SHORT * max(0, SHORTEST_MS - shown_ms) / SHORTEST_MS
            + FEW * max(0, FEW_LETTERS - letters) / FEW_LETTERS
            + HASTY_LETTER * max(0, letters - LETTERS_A_SECOND * shown_ms / 1000)
            + UNFILLED * (max(0, CUE_LINES * LINE_LETTERS - letters) / (CUE_LINES * LINE_LETTERS)) ** 2
        )

    def _end_price(self, last: int) -> float:
        """Return the price of ending a cue before word `last`: less in a pause."""
        if last == len(self.units):
            return 0.0
        return CUE_BREAK * self.prices[last - 1] * max(0.2, 1 - max(0, self.pauses[last - 1]) / PAUSE_MS)


def _shortest_path(length: int, steps_from: Callable[[int], Iterable[tuple[int, float]]]) -> list[int]:
    """Return the cheapest way from 0 to `length`, both included. Steps go forwards; each place has one to the next."""
    best, via = [0.0] + [inf] * length, [0] * (length + 1)
    for at in range(length):
        for to, price in steps_from(at):
            if best[at] + price < best[to]:
                best[to], via[to] = best[at] + price, at
    path = [length]
    while path[-1] > 0:
        path.append(via[path[-1]])
    return path[::-1]
