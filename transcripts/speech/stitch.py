"""Conversion of Whisper's output for a window to cues in room time: filtered, placed, and split into lines. Pure.

Whisper invents text over silence and noise, and repeats phrases in loops. Three kinds of words are dropped: those of a
segment without speech, repetitions of a phrase, and words where nobody spoke.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from transcripts.speech.windows import PAD_MS, Window, to_file

NO_SPEECH = 0.6  # a segment is dropped when Whisper's probability that it is no speech is above this …
UNLIKELY = -1.0  # … and the mean log probability of its words is below this
LOOP_WORDS = 8  # the longest phrase checked for loops
LOOP_TIMES = 5  # repetitions that make a loop: people stop at four
SHORTEST_MS = 20
PAUSE_MS = 700  # a pause that ends a line
LINE_LETTERS = 84  # two lines of 42, as captions have
LINE_MS = 7000
SENTENCE_LETTERS = 24  # a sentence shorter than this does not end a line
ENDS = (".", "?", "!", "…")


@dataclass(frozen=True, slots=True)
class Word:
    """One word with its punctuation; `p` is the model's probability of it (0 to 1)."""

    text: str
    start_ms: int
    end_ms: int
    p: float


@dataclass(frozen=True, slots=True)
class SpeechSegment:
    """A segment of the engine's output; times are ms of the window."""

    words: tuple[Word, ...]
    no_speech: float
    logprob: float


@dataclass(frozen=True, slots=True)
class CueDraft:
    """Words of one cue, before it is stored."""

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


def stitch(heard: Sequence[SpeechSegment], window: Window, offset_ms: int) -> list[CueDraft]:
    """Convert the segments of one window to cues in room time; `offset_ms` is the room time of the file's start."""
    words = [word for segment in heard if believable(segment) for word in segment.words if word.text.strip()]
    placed = [place_in_span(word, window) for word in without_loops(words)]
    spoken = in_order([word for word in placed if word is not None])
    return split_into_cues([replace(w, start_ms=w.start_ms + offset_ms, end_ms=w.end_ms + offset_ms) for w in spoken])


def believable(segment: SpeechSegment) -> bool:
    """Return whether to keep a segment: not when Whisper rates it as no speech and its words as unlikely."""
    return not (segment.no_speech > NO_SPEECH and segment.logprob < UNLIKELY)


def without_loops(words: Sequence[Word]) -> list[Word]:
    """Reduce a phrase that is repeated LOOP_TIMES or more in a row to one."""
    kept: list[Word] = []
    at = 0
    while at < len(words):
        size, times = _loop(words, at)
        kept += words[at : at + size]
        at += size * times
    return kept


def _loop(words: Sequence[Word], at: int) -> tuple[int, int]:
    """Return (words in the phrase, repetitions) of the loop that begins at `at`; (1, 1) for none."""
    for size in range(1, LOOP_WORDS + 1):
        phrase = [normalized(word.text) for word in words[at : at + size]]
        times = 1
        while [normalized(w.text) for w in words[at + times * size : at + (times + 1) * size]] == phrase:
            times += 1
        if times >= LOOP_TIMES:
            return size, times
    return 1, 1


def normalized(text: str) -> str:
    """Lower-case a word and remove its punctuation, for comparison."""
    return "".join(letter for letter in text.lower() if letter.isalnum())


def place_in_span(word: Word, window: Window) -> Word | None:
    """Convert a word to ms of the file, inside the span that contains its middle; None where nobody spoke.

    A word never crosses from one span to the next: there may be minutes between them.
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
        return None  # in the padding after the last word: invented
    return replace(word, start_ms=start, end_ms=max(end, start + SHORTEST_MS))


def in_order(words: Sequence[Word]) -> list[Word]:
    """Move words so that none overlap: in Whisper's alignment neighbours may, by some hundredths of a second."""
    ordered: list[Word] = []
    for word in words:
        floor = ordered[-1].end_ms if ordered else 0
        start = max(word.start_ms, floor)
        ordered.append(replace(word, start_ms=start, end_ms=max(word.end_ms, start + SHORTEST_MS)))
    return ordered


def split_into_cues(words: Sequence[Word]) -> list[CueDraft]:
    """Split words into cues: at pauses, at the ends of sentences, and where a cue gets too long to read."""
    cues: list[CueDraft] = []
    current: list[Word] = []
    for word in words:
        if current and ends_before(current, word):
            cues.append(CueDraft(tuple(current)))
            current = []
        current.append(word)
    if current:
        cues.append(CueDraft(tuple(current)))
    return cues


def ends_before(current: Sequence[Word], word: Word) -> bool:
    last = current[-1]
    letters = sum(len(each.text) for each in current)
    return (
        word.start_ms - last.end_ms >= PAUSE_MS
        or (last.text.strip().endswith(ENDS) and letters >= SENTENCE_LETTERS)
        or letters + len(word.text) > LINE_LETTERS
        or word.end_ms - current[0].start_ms > LINE_MS
    )
