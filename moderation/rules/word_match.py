"""Rule of when a line of captions has a listed word or phrase: whole words, whatever their case and accents. Pure."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import regex

NEXT_LINE_MS = 10_000  # a pause up to which a phrase may go on in the speaker's next line
_DROPPED = regex.compile(r"[\p{Mn}\p{Cf}]+")  # accents, and what nobody sees
_TOKEN = regex.compile(r"[\p{L}\p{N}\p{M}]+")


@dataclass(frozen=True, slots=True)
class Spoken:
    """A word as captions have it, with its marks, and its time in ms of the room."""

    text: str
    start_ms: int
    end_ms: int


@dataclass(frozen=True, slots=True)
class Phrase:
    """A word or phrase to look for: its key, and its words folded."""

    key: int
    tokens: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Match:
    """A phrase in a line: the key of the phrase, and the time in which it was said."""

    key: int
    from_ms: int
    to_ms: int


def folded_words(text: str) -> tuple[str, ...]:
    """Return the words of a text as they are compared: "Café-société" is cafe, societe. Whatever is no letter, digit
    or mark stands between words, also a hyphen and an apostrophe."""
    flat = unicodedata.normalize("NFKD", unicodedata.normalize("NFKD", text).casefold())
    return tuple(_TOKEN.findall(_DROPPED.sub("", flat)))


def find_phrases(line: Sequence[Spoken], before: Sequence[Spoken], phrases: Iterable[Phrase]) -> list[Match]:
    """Find phrases that end in a line, each once: where it is said first. `before` is the line of the same speaker in
    front of it; a phrase may begin there where no long pause was between the two."""
    goes_on = bool(line and before) and line[0].start_ms - before[-1].end_ms <= NEXT_LINE_MS
    earlier = list(_tokens(before)) if goes_on else []
    said = [*earlier, *_tokens(line)]
    found = (_first(phrase, said, len(earlier)) for phrase in phrases)
    return [match for match in found if match is not None]


def _tokens(words: Sequence[Spoken]) -> Iterator[tuple[str, Spoken]]:
    """Yield each folded word with the one of the captions that it is of."""
    for word in words:
        for token in folded_words(word.text):
            yield token, word


def _first(phrase: Phrase, said: Sequence[tuple[str, Spoken]], earlier: int) -> Match | None:
    length = len(phrase.tokens)
    if not length:
        return None
    for last in range(max(earlier, length - 1), len(said)):
        some = said[last - length + 1 : last + 1]
        if tuple(token for token, _word in some) == phrase.tokens:
            return Match(phrase.key, some[0][1].start_ms, max(word.end_ms for _token, word in some))
    return None
