"""Spans of speech, and their packing into windows of at most 30 s for Whisper, cut at pauses.

Pure: probabilities in, times out. All times are milliseconds of the track's file.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

FRAME_MS = 32  # one probability of the voice-activity model
WINDOW_MS = 30_000  # Whisper's input length; it pads anything shorter
PAD_MS = 200  # kept around speech: the model is late on soft first sounds
SPAN_MS = 28_000  # a longer stretch is cut at its quietest frame
SEARCH_MS = 10_000  # the last part of it, in which the quietest frame is searched
START, STOP = 0.5, 0.35  # hysteresis: speech begins above the one and ends below the other
MIN_SPEECH_MS = 192
MIN_SILENCE_MS = 416  # more than two pads, so that padded spans never overlap


@dataclass(frozen=True, slots=True)
class Span:
    """A stretch of the file with speech in it."""

    start_ms: int
    end_ms: int

    @property
    def length_ms(self) -> int:
        return self.end_ms - self.start_ms


Window = tuple[Span, ...]


@dataclass(slots=True)
class _Speech:
    """Speech that has not ended yet: its first frame, and the probability of every frame since."""

    first: int
    frames: list[float]
    silent: int = 0  # frames below STOP at its end
    cut: bool = False  # it continues after a cut: no padding before it

    @property
    def length_ms(self) -> int:
        return (len(self.frames) - self.silent) * FRAME_MS


def spans(probabilities: Iterable[float]) -> Iterator[Span]:
    """Yield padded spans of speech from one probability per frame, in order, without overlap. Streams its input."""
    speech: _Speech | None = None
    position = -1
    for position, probability in enumerate(probabilities):
        if speech is None:
            if probability >= START:
                speech = _Speech(position, [probability])
            continue
        speech.frames.append(probability)
        speech.silent = speech.silent + 1 if probability < STOP else 0
        if speech.silent * FRAME_MS >= MIN_SILENCE_MS:
            yield from _ended(speech, None)
            speech = None
        elif len(speech.frames) * FRAME_MS >= SPAN_MS:
            span, speech = _cut(speech)
            yield span
    if speech is not None:
        yield from _ended(speech, (position + 1) * FRAME_MS)


def _ended(speech: _Speech, limit_ms: int | None) -> Iterator[Span]:
    """Yield the span of speech that ended, unless it is shorter than MIN_SPEECH_MS (clicks and coughs)."""
    if speech.length_ms < MIN_SPEECH_MS and not speech.cut:
        return
    start = speech.first * FRAME_MS
    end = start + speech.length_ms + PAD_MS
    if speech.length_ms > 0:
        yield Span(start if speech.cut else max(0, start - PAD_MS), end if limit_ms is None else min(end, limit_ms))


def _cut(speech: _Speech) -> tuple[Span, _Speech]:
    """Cut long speech at its quietest frame near the end, usually between words; returns the span and the rest."""
    search = speech.frames[-SEARCH_MS // FRAME_MS :]
    quietest = min(range(len(search)), key=lambda at: (search[at], -at))
    keep = len(speech.frames) - len(search) + quietest + 1
    start = speech.first * FRAME_MS
    rest = _Speech(speech.first + keep, speech.frames[keep:], min(speech.silent, len(speech.frames) - keep), cut=True)
    return Span(start if speech.cut else max(0, start - PAD_MS), (speech.first + keep) * FRAME_MS), rest


def pack(found: Iterable[Span]) -> Iterator[Window]:
    """Pack spans into windows, in order: Whisper takes as long for three seconds as for thirty."""
    window: list[Span] = []
    length = 0
    for span in found:
        if window and length + span.length_ms > WINDOW_MS:
            yield tuple(window)
            window, length = [], 0
        window.append(span)
        length += span.length_ms
    if window:
        yield tuple(window)


def cut_out(found: Iterable[Span], times: Sequence[Span]) -> tuple[list[Span], list[Span]]:
    """Divide spans by the times in which nothing is written: what lies outside of them, and inside, each in order."""
    outside, inside = [], []
    for span in found:
        at = span.start_ms
        for time in sorted(times, key=lambda one: one.start_ms):
            start, end = max(at, time.start_ms), min(span.end_ms, time.end_ms)
            if start < end:
                outside.append(Span(at, start))
                inside.append(Span(start, end))
                at = end
        outside.append(Span(at, span.end_ms))
    return [span for span in outside if span.length_ms > 0], inside


def joined(found: Iterable[Span], pause_ms: int) -> list[Span]:
    """Join spans in order that are at most a pause apart."""
    spans: list[Span] = []
    for span in found:
        if spans and span.start_ms - spans[-1].end_ms <= pause_ms:
            spans[-1] = Span(spans[-1].start_ms, max(spans[-1].end_ms, span.end_ms))
        else:
            spans.append(span)
    return spans


def speech_ms(window: Window) -> int:
    """Return the length of a window's sound in ms."""
    return sum(span.length_ms for span in window)


def to_file(window: Sequence[Span], at_ms: float) -> tuple[Span, float]:
    """Convert a time in a window, where spans lie end to end, to its span and the time in the file."""
    for span in window[:-1]:
        if at_ms < span.length_ms:
            return span, span.start_ms + at_ms
        at_ms -= span.length_ms
    last = window[-1]
    return last, min(last.end_ms, last.start_ms + max(0.0, at_ms))
