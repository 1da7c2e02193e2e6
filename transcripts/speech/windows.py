"""Where somebody speaks, and how that is cut into pieces Whisper can take: 30 seconds at most, cut where nobody speaks.

Pure: probabilities in, times out. All times are milliseconds of the track's own file.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

FRAME_MS = 32  # one probability of the voice-activity model
WINDOW_MS = 30_000  # what Whisper hears at once; it pads anything shorter
PAD_MS = 200  # kept around speech: the model is late on soft first sounds
SPAN_MS = 28_000  # a longer stretch is cut at its quietest frame
SEARCH_MS = 10_000  # how far back from there a quiet frame is looked for
START, STOP = 0.5, 0.35  # hysteresis: speech begins above the one and ends below the other
MIN_SPEECH_MS = 192
MIN_SILENCE_MS = 416  # more than two pads, so that padded spans never overlap


@dataclass(frozen=True, slots=True)
class Span:
    """A stretch with speech in it, `start_ms` to `end_ms`."""

    start_ms: int
    end_ms: int

    @property
    def length_ms(self) -> int:
        return self.end_ms - self.start_ms


Window = tuple[Span, ...]


@dataclass(slots=True)
class _Speech:
    """Speech that is going on: its first frame, and the probability of every frame since."""

    first: int
    frames: list[float]
    silent: int = 0  # frames below STOP at its end
    cut: bool = False  # it goes on from a cut: nothing before it may be added

    @property
    def length_ms(self) -> int:
        return (len(self.frames) - self.silent) * FRAME_MS


def spans(probabilities: Iterable[float]) -> Iterator[Span]:
    """Padded speech out of one probability per frame, in order, never overlapping; memory for one span only."""
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
    """The span of speech that is over; clicks and coughs shorter than MIN_SPEECH_MS are none."""
    if speech.length_ms < MIN_SPEECH_MS and not speech.cut:
        return
    start = speech.first * FRAME_MS
    end = start + speech.length_ms + PAD_MS
    if speech.length_ms > 0:
        yield Span(start if speech.cut else max(0, start - PAD_MS), end if limit_ms is None else min(end, limit_ms))


def _cut(speech: _Speech) -> tuple[Span, _Speech]:
    """Cut speech that goes on and on at its quietest frame near the end: between words as a rule, never twice heard."""
    search = speech.frames[-SEARCH_MS // FRAME_MS :]
    quietest = min(range(len(search)), key=lambda at: (search[at], -at))
    keep = len(speech.frames) - len(search) + quietest + 1
    start = speech.first * FRAME_MS
    rest = _Speech(speech.first + keep, speech.frames[keep:], min(speech.silent, len(speech.frames) - keep), cut=True)
    return Span(start if speech.cut else max(0, start - PAD_MS), (speech.first + keep) * FRAME_MS), rest


def pack(found: Iterable[Span]) -> Iterator[Window]:
    """Put spans together, in order, as long as they fit: Whisper takes as long for three seconds as for thirty."""
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


def speech_ms(window: Window) -> int:
    """How much sound is in a window."""
    return sum(span.length_ms for span in window)


def to_file(window: Sequence[Span], at_ms: float) -> tuple[Span, float]:
    """The span and the file time of a moment in a window, where the spans lie end to end."""
    for span in window[:-1]:
        if at_ms < span.length_ms:
            return span, span.start_ms + at_ms
        at_ms -= span.length_ms
    last = window[-1]
    return last, min(last.end_ms, last.start_ms + max(0.0, at_ms))
