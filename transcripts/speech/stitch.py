"""From what Whisper said about a window to cues in room time: believed or not, placed, and cut into lines to read.

Pure. Whisper invents text over silence and noise and falls into loops; the guards here are the ones that can be
explained: no speech there, the same words over and over, a word where nobody spoke.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from transcripts.speech.windows import PAD_MS, Window, to_file

NO_SPEECH = 0.6  # Whisper's own probability that a segment is no speech …
UNLIKELY = -1.0  # … and the mean log probability of its words, below which it is not believed
LOOP_WORDS = 8  # the longest phrase that is looked at for loops
LOOP_TIMES = 5  # said so often back to back it is a loop: people stop at four
SHORTEST_MS = 20
PAUSE_MS = 700  # a pause that ends a line
LINE_LETTERS = 84  # two lines of 42, as captions have
LINE_MS = 7000
SENTENCE_LETTERS = 24  # a sentence shorter than this does not end a line
ENDS = (".", "?", "!", "…")


@dataclass(frozen=True, slots=True)
class Word:
    """One word with its punctuation; `p` is the model's probability of it."""

    text: str
    start_ms: int
    end_ms: int
    p: float


@dataclass(frozen=True, slots=True)
class Heard:
    """A segment as the engine gives it, in milliseconds of the window."""

    words: tuple[Word, ...]
    no_speech: float
    logprob: float


@dataclass(frozen=True, slots=True)
class Line:
    """A cue in the making."""

    words: tuple[Word, ...]

    @property
    def text(self) -> str:
        return "".join(word.text for word in self.words).strip()

    @property
    def start_ms(self) -> int:
        return self.words[0].start_ms

    @property
    def end_ms(self) -> int:
        return max(word.end_ms for word in self.words)

    @property
    def confidence(self) -> float:
        return sum(word.p for word in self.words) / len(self.words)


def stitch(heard: Sequence[Heard], window: Window, offset_ms: int) -> list[Line]:
    """The lines of one window in room time; `offset_ms` is the room time of the file's first sample."""
    words = [word for segment in heard if believable(segment) for word in segment.words if word.text.strip()]
    placed = [place(word, window) for word in without_loops(words)]
    spoken = in_order([word for word in placed if word is not None])
    return lines([replace(w, start_ms=w.start_ms + offset_ms, end_ms=w.end_ms + offset_ms) for w in spoken])


def believable(segment: Heard) -> bool:
    """Whisper itself says that there is no speech, and is unsure of the words: then they are invented."""
    return not (segment.no_speech > NO_SPEECH and segment.logprob < UNLIKELY)


def without_loops(words: Sequence[Word]) -> list[Word]:
    """A phrase said LOOP_TIMES and more back to back is kept once."""
    kept: list[Word] = []
    at = 0
    while at < len(words):
        size, times = _loop(words, at)
        kept += words[at : at + size]
        at += size * times
    return kept


def _loop(words: Sequence[Word], at: int) -> tuple[int, int]:
    """The loop that begins here: (words in the phrase, times said), or one word, once."""
    for size in range(1, LOOP_WORDS + 1):
        phrase = [bare(word.text) for word in words[at : at + size]]
        times = 1
        while [bare(w.text) for w in words[at + times * size : at + (times + 1) * size]] == phrase:
            times += 1
        if times >= LOOP_TIMES:
            return size, times
    return 1, 1


def bare(text: str) -> str:
    """A word without case and punctuation, to compare."""
    return "".join(letter for letter in text.lower() if letter.isalnum())


def place(word: Word, window: Window) -> Word | None:
    """The word in file time, inside the span that its middle lies in; nothing when that is where nobody spoke.

    A word never crosses from one span to the next: between them may lie minutes.
    """
    total = sum(span.length_ms for span in window)
    middle = (word.start_ms + word.end_ms) / 2
    if middle > total:
        return None
    span, _at = to_file(window, middle)
    before = sum(other.length_ms for other in window if other.start_ms < span.start_ms)
    start = span.start_ms + max(0, word.start_ms - before)
    end = min(span.end_ms, span.start_ms + word.end_ms - before)
    start = min(start, span.end_ms - SHORTEST_MS)
    if start >= span.end_ms - PAD_MS // 2 and end - start <= SHORTEST_MS:
        return None  # squeezed into the silence after the last word: said by nobody
    return replace(word, start_ms=start, end_ms=max(end, start + SHORTEST_MS))


def in_order(words: Sequence[Word]) -> list[Word]:
    """Words one after another: Whisper's alignment may let neighbours overlap by some hundredths."""
    ordered: list[Word] = []
    for word in words:
        floor = ordered[-1].end_ms if ordered else 0
        start = max(word.start_ms, floor)
        ordered.append(replace(word, start_ms=start, end_ms=max(word.end_ms, start + SHORTEST_MS)))
    return ordered


def lines(words: Sequence[Word]) -> list[Line]:
    """Words cut into lines at pauses, at the ends of sentences, and where a line gets too long to read."""
    found: list[Line] = []
    current: list[Word] = []
    for word in words:
        if current and _ends_before(current, word):
            found.append(Line(tuple(current)))
            current = []
        current.append(word)
    if current:
        found.append(Line(tuple(current)))
    return found


def _ends_before(current: Sequence[Word], word: Word) -> bool:
    last = current[-1]
    letters = sum(len(each.text) for each in current)
    return (
        word.start_ms - last.end_ms >= PAUSE_MS
        or (last.text.strip().endswith(ENDS) and letters >= SENTENCE_LETTERS)
        or letters + len(word.text) > LINE_LETTERS
        or word.end_ms - current[0].start_ms > LINE_MS
    )
