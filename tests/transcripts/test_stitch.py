"""Whisper's output: filtered, placed in room time and split into cues."""

import pytest

from transcripts.speech.stitch import CueDraft, SpeechSegment, Word, believable, stitch, without_loops
from transcripts.speech.windows import Span


def said(text: str, start_ms: int = 0, each_ms: int = 300, p: float = 0.9) -> tuple[Word, ...]:
    """Words one after another."""
    return tuple(
        Word(f" {word}", start_ms + at * each_ms, start_ms + (at + 1) * each_ms, p)
        for at, word in enumerate(text.split())
    )


def heard(*words: Word, no_speech: float = 0.0, logprob: float = -0.2) -> SpeechSegment:
    return SpeechSegment(tuple(words), no_speech, logprob)


def texts(found: list[CueDraft]) -> list[str]:
    return [line.text for line in found]


def test_words_land_in_room_time_behind_a_gap_too() -> None:
    window = (Span(10_000, 12_000), Span(600_000, 603_000))
    found = stitch([heard(*said("one two", 100)), heard(*said("three four", 2_200))], window, 5_000, "en")
    assert [(line.text, line.start_ms) for line in found] == [("one two", 15_100), ("three four", 605_200)]
    assert found[1].end_ms == 605_800


def test_a_word_on_a_join_stays_on_the_side_where_most_of_it_is() -> None:
    window = (Span(0, 1_000), Span(50_000, 52_000))
    (line,) = stitch([heard(Word(" late", 700, 1_200, 0.9))], window, 0, "en")
    assert (line.start_ms, line.end_ms) == (700, 1_000)
    (line,) = stitch([heard(Word(" early", 900, 1_600, 0.9))], window, 0, "en")
    assert (line.start_ms, line.end_ms) == (50_000, 50_600)


def test_text_over_no_speech_is_not_believed_but_sure_words_are() -> None:
    assert not believable(heard(*said("Thanks for watching!"), no_speech=0.9, logprob=-1.4))
    assert believable(heard(*said("quiet voice"), no_speech=0.9, logprob=-0.3))
    assert believable(heard(*said("mumble"), no_speech=0.1, logprob=-1.4))


def test_words_behind_the_sound_are_dropped() -> None:
    window = (Span(0, 2_000),)
    found = stitch([heard(*said("hello there", 200)), heard(*said("Subtitles by nobody", 2_500))], window, 0, "en")
    assert texts(found) == ["hello there"]


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("you " * 12, "you"),
        ("I said no. " + "I do not know. " * 7 + "Well.", "I said no. I do not know. Well."),
        ("no no no no", "no no no no"),  # people do say that
        ("that that is is", "that that is is"),
    ],
)
def test_loops_are_said_once(text: str, kept: str) -> None:
    assert CueDraft(tuple(without_loops(said(text)))).text == kept


def test_lines_end_at_pauses_sentences_and_length() -> None:
    window = (Span(0, 30_000),)
    words = (
        *said("It was late in the evening. They left without a word to anybody."),
        *said("After a while it rained", 9_000),
    )
    found = stitch([heard(*words)], window, 0, "en")
    assert texts(found) == [
        "It was late in the evening.",
        "They left without a word to anybody.",
        "After a while it rained",
    ]
    assert texts(stitch([heard(*said("Yes. No. Maybe."))], window, 0, "en")) == ["Yes. No. Maybe."]
    long = stitch([heard(*said(" ".join(f"word{at}" for at in range(60)), each_ms=50))], window, 0, "en")
    assert all(len(line.text) <= 85 for line in long)
    assert sum(len(line.words) for line in long) == 60
    slow = stitch([heard(*said(" ".join(f"word{at}" for at in range(20)), each_ms=690))], window, 0, "en")
    assert all(line.end_ms - line.start_ms <= 7_000 for line in slow)


def test_lines_never_run_backwards_nor_end_before_they_begin() -> None:
    jumbled = (Word(" a", 500, 900, 0.9), Word(" b", 400, 400, 0.9), Word(" c", 400, 1_000, 0.9))
    (line,) = stitch([heard(*jumbled)], (Span(0, 2_000),), 0, "en")
    times = [(word.start_ms, word.end_ms) for word in line.words]
    assert all(start < end for start, end in times)
    assert times == sorted(times)


def test_confidence_is_the_mean_of_the_words() -> None:
    assert CueDraft((Word(" a", 0, 100, 0.5), Word(" b", 100, 200, 1.0))).confidence == 0.75
