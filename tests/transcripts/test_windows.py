"""Speech into windows: pure, so every edge is cheap to try."""

import random
from itertools import groupby, pairwise

from transcripts.speech.windows import (
    FRAME_MS,
    MIN_SILENCE_MS,
    MIN_SPEECH_MS,
    PAD_MS,
    SPAN_MS,
    WINDOW_MS,
    Span,
    pack,
    spans,
    speech_ms,
    to_file,
)


def frames(*parts: tuple[float, int]) -> list[float]:
    """Probabilities out of (probability, milliseconds)."""
    return [probability for probability, ms in parts for _ in range(ms // FRAME_MS)]


def test_speech_is_padded_and_silence_is_left_out() -> None:
    found = list(spans(frames((0.0, 1600), (0.9, 960), (0.0, 1600))))
    assert found == [Span(1600 - PAD_MS, 1600 + 960 + PAD_MS)]


def test_a_breath_does_not_end_speech_but_a_pause_does() -> None:
    assert len(list(spans(frames((0.9, 640), (0.1, MIN_SILENCE_MS - 64), (0.9, 640), (0.0, 960))))) == 1
    assert len(list(spans(frames((0.9, 640), (0.1, MIN_SILENCE_MS + 64), (0.9, 640), (0.0, 960))))) == 2


def test_wavering_between_the_two_thresholds_keeps_speech_going_but_does_not_start_it() -> None:
    assert len(list(spans(frames((0.9, 320), (0.4, 2048), (0.0, 960))))) == 1
    assert list(spans(frames((0.4, 2048), (0.0, 960)))) == []


def test_clicks_are_no_speech() -> None:
    assert list(spans(frames((0.0, 640), (0.9, 96), (0.0, 960)))) == []


def test_nothing_begins_before_or_ends_behind_the_file() -> None:
    (found,) = spans(frames((0.9, 960)))
    assert (found.start_ms, found.end_ms) == (0, 960)


def test_speech_without_end_is_cut_at_its_quietest_frame_and_nothing_is_heard_twice_or_lost() -> None:
    probabilities = frames((0.99, 120_000))
    quiet = [24_000 // FRAME_MS, 49_600 // FRAME_MS, 70_400 // FRAME_MS]
    for frame in quiet:
        probabilities[frame] = 0.6
    found = list(spans(probabilities))
    assert found[0].start_ms == 0
    assert found[-1].end_ms == len(probabilities) * FRAME_MS
    assert all(before.end_ms == after.start_ms for before, after in pairwise(found))
    assert all(span.length_ms <= SPAN_MS + PAD_MS for span in found)
    assert {(frame + 1) * FRAME_MS for frame in quiet} <= {span.end_ms for span in found}


def test_whatever_is_said_spans_are_in_order_apart_and_short_enough() -> None:
    chance = random.Random(7)
    for _ in range(200):
        probabilities: list[float] = []
        while len(probabilities) < 3000:
            probabilities += [chance.random()] * chance.choice([1, 2, 5, 20, 100, 900])
        found = list(spans(probabilities))
        assert all(span.start_ms < span.end_ms and span.length_ms <= WINDOW_MS for span in found)
        assert all(before.end_ms <= after.start_ms for before, after in pairwise(found))
        for loud, group in groupby(enumerate(probabilities), lambda frame: frame[1] >= 0.5):
            said = [at * FRAME_MS for at, _p in group]
            if loud and len(said) * FRAME_MS >= MIN_SPEECH_MS:
                assert all(any(s.start_ms <= at < s.end_ms for s in found) for at in said)
        for window in pack(found):
            assert 0 < speech_ms(window) <= WINDOW_MS
        assert [span for window in pack(found) for span in window] == found


def test_windows_are_filled_in_order() -> None:
    found = [Span(at, at + 9_000) for at in range(0, 100_000, 20_000)]
    assert [len(window) for window in pack(found)] == [3, 2]


def test_a_moment_of_a_window_is_found_in_the_file() -> None:
    window = (Span(1_000, 3_000), Span(60_000, 65_000))
    assert to_file(window, 0) == (window[0], 1_000)
    assert to_file(window, 1_999) == (window[0], 2_999)
    assert to_file(window, 2_000) == (window[1], 60_000)
    assert to_file(window, 99_000) == (window[1], 65_000)
