"""Words that two hearings agree on, the lines they become, loops, leaks, the ladder: pure, so properties are cheap."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as some

from transcripts.captions.ladder import EARLY_FOR, LATE_OUT_FOR, NO_DRAFTS, Ladder
from transcripts.captions.leaks import LOUDER_DB, is_leak
from transcripts.captions.loops import is_loop, is_new_loop, without_echoes
from transcripts.captions.words import LINE_LETTERS, Agreement, into_lines, text_of, with_punctuation
from transcripts.speech.stitch import Word

texts = some.lists(
    some.sampled_from(["the", "cat", "sat", "on", "a", "mat", "again", "and", "then.", "so"]), max_size=12
)


def words(text: str | list[str], start_ms: int = 0, each_ms: int = 300) -> tuple[Word, ...]:
    parts = text.split() if isinstance(text, str) else text
    return tuple(
        Word(f" {part}", start_ms + at * each_ms, start_ms + at * each_ms + each_ms - 20, 0.9)
        for at, part in enumerate(parts)
    )


@given(some.lists(texts, max_size=8))
def test_confirmed_words_never_change_and_every_hearing_after_them_is_in_the_draft(heard: list[list[str]]) -> None:
    agreement = Agreement()
    for text in heard:
        after = words(text, agreement.confirmed[-1].end_ms if agreement.confirmed else 0)
        new = agreement.heard(after)
        assert new.confirmed[: len(agreement.confirmed)] == agreement.confirmed
        gained = len(new.confirmed) - len(agreement.confirmed)
        assert [w.text for w in (*new.confirmed[len(agreement.confirmed) :], *new.draft)] == [w.text for w in after]
        assert [w.text for w in agreement.draft[:gained]] == [w.text for w in after[:gained]]
        agreement = new
    times = [(word.start_ms, word.end_ms) for word in agreement.confirmed]
    assert all(start < end for start, end in times)
    assert all(before[1] <= after[0] for before, after in pairwise(times))


@given(texts, texts)
def test_two_hearings_that_agree_confirm_and_one_alone_does_not(said: list[str], wrong: list[str]) -> None:
    once = Agreement().heard(words(said))
    assert once.confirmed == () and once.draft == words(said)
    assert [w.text for w in once.heard(words(said)).confirmed] == [w.text for w in words(said)]
    common = 0
    while common < min(len(said), len(wrong)) and said[common].strip(".") == wrong[common].strip("."):
        common += 1
    assert len(once.heard(words(wrong)).confirmed) == common
    assert [w.text for w in once.finished(words(wrong)).confirmed] == [w.text for w in words(wrong)]


def test_case_and_signs_are_no_difference_and_the_later_hearing_is_shown() -> None:
    agreement = Agreement().heard(words("well this")).heard(words("Well, this is"))
    assert text_of(agreement.confirmed) == "Well, this" and text_of(agreement.draft) == "is"


def test_signs_and_second_halves_are_no_words_of_their_own() -> None:
    parts = [" an", " ill", "-disposed", " “", "young", ",", " man", "."]
    made = with_punctuation(Word(text, at * 100, at * 100 + 90, 0.9) for at, text in enumerate(parts))
    assert [word.text for word in made] == [" an", " ill-disposed", " “young,", " man."]
    assert made[1].start_ms == 100 and made[1].end_ms == 290


@given(texts, some.lists(texts, max_size=4))
def test_lines_hold_every_word_once_in_order_and_fit(first: list[str], more: list[list[str]]) -> None:
    lines = into_lines((), words(first), "en")
    said = list(words(first))
    for part in more:
        new = words(part, said[-1].end_ms if said else 0)
        said += new
        lines = [*lines[:-1], *into_lines(lines[-1], new, "en")]
    assert [word for line in lines for word in line] == said
    assert all(sum(len(word.text) for word in line) <= LINE_LETTERS for line in lines)


def test_a_line_ends_with_a_sentence_but_not_with_an_abbreviation() -> None:
    said = "it was there that we saw"
    assert len(into_lines((), words(f"{said} dr. Smith again"), "en")) == 1
    assert len(into_lines((), words(f"{said} her. Smith too"), "en")) == 2
    assert len(into_lines((), words("wij gingen daarheen met dhr. Smit mee"), "nl")) == 1


def test_loops_are_known_by_a_phrase_twice_or_by_too_many_words() -> None:
    assert is_loop(["and", "so", "it", "went", "on", "and", "so", "it", "went", "on"], 5.0)
    assert is_loop(["yes"] * 40, 3.0)
    assert not is_loop(["no", "no", "no", "never", "mind", "he", "said", "and", "that", "was", "that"], 4.0)
    assert not is_loop([], 1.0)


def test_a_phrase_at_one_moment_that_repeats_what_is_before_it_was_not_said() -> None:
    said = words("we will meet at the town hall")
    end = said[-1].end_ms
    again = [replace(word, start_ms=end, end_ms=end + 20) for word in said]
    assert without_echoes(said, [*again, *again, *again[:5]]) == ()
    assert without_echoes((), [*said, *again]) == tuple(said)
    new = words("and then we go", end + 40)
    assert without_echoes(said, [*again, *new]) == tuple(new)
    sung = words("we will meet at the town hall we will meet at the town hall")
    assert is_new_loop(said, again, 4.0) and not is_new_loop(sung, words("tonight"), 9.0), "what was said stays said"
    slowly = words("we will meet at the town hall", end)
    assert without_echoes(said, slowly) == tuple(slowly), "somebody does say it twice"
    quickly = [
        replace(word, start_ms=end + 60 * place, end_ms=end + 60 * place + 60) for place, word in enumerate(said)
    ]
    assert without_echoes(said, quickly[:5]) == tuple(quickly[:5]), "it may become another phrase"
    assert without_echoes(said, again[:4]) == tuple(again[:4]), "too short to tell"


def test_a_leak_is_quieter_and_says_what_somebody_louder_says() -> None:
    said = words("there might be prudently in his power")
    assert is_leak(said, -60.0, said, -20.0)
    assert is_leak(said[:4], -40.0, said, -20.0)
    assert not is_leak(said, -25.0, said, -20.0), "as loud: two people say the same"
    assert not is_leak(words("yes of course I do"), -20.0 - LOUDER_DB - 1, said, -20.0), "an interjection"
    assert is_leak(words("dare mite bee"), -60.0, said, -20.0), "what is so quiet is nobody at this microphone"
    assert not is_leak((), -60.0, said, -20.0)


def test_the_ladder_is_climbed_while_it_is_late_and_left_slowly() -> None:
    ladder = Ladder()
    now, taken = 0.0, []
    while now < 30:
        assert not ladder.update(now, 3.0, talkers=2) or ladder.step <= NO_DRAFTS
        now += 0.1
    assert ladder.step == NO_DRAFTS and ladder.level(nobody=False) == "drafts_off", "nobody is left out so soon"
    while now < 60:
        if ladder.update(now, 9.0, talkers=2):
            taken.append(now)
        now += 0.1
    assert ladder.step == NO_DRAFTS + 2 and all(b - a >= LATE_OUT_FOR - 0.01 for a, b in pairwise(taken))
    assert ladder.level(nobody=True) == "off" and ladder.left_out([7, 8]) == {7, 8}
    ladder.update(now, 1.0, talkers=2)
    assert not ladder.update(now + 60, 1.0, talkers=2), "neither late nor early: it stays"
    for _ in range(3):
        ladder.update(now + 61, 0.0, talkers=2)
    assert ladder.step == NO_DRAFTS + 2
    assert ladder.update(now + 62 + EARLY_FOR, 0.0, talkers=2) and ladder.step == NO_DRAFTS + 1
    assert ladder.left_out([7, 8]) == {7}, "who spoke least recently"


def test_who_is_left_out_stays_so_while_they_talk_and_nobody_in_their_place() -> None:
    ladder = Ladder(step=NO_DRAFTS + 1)
    out = ladder.left_out(["ada", "bert"])
    assert out == ladder.left_out(["bert", "ada"], out) == {"ada"}, "bert paused for breath"
    ladder.fell_silent(1)
    assert ladder.step == NO_DRAFTS and ladder.left_out(["bert"], out) == frozenset()
    ladder.fell_silent(1)
    assert ladder.step == NO_DRAFTS, "drafts come back by the age of the work alone"
    ladder.step = NO_DRAFTS + 5
    assert ladder.update(0.0, 1.0, talkers=1) and ladder.step == NO_DRAFTS + 1, "four of five fell silent"


@given(some.lists(some.tuples(some.floats(0, 5), some.floats(0, 20), some.integers(0, 5)), max_size=60))
def test_whatever_the_load_steps_come_one_at_a_time(seen: list[tuple[float, float, int]]) -> None:
    ladder, now = Ladder(), 0.0
    for pause, age, talkers in seen:
        now += pause
        before = ladder.step
        changed = ladder.update(now, age, talkers)
        assert (ladder.step != before) == changed and 0 <= ladder.step <= min(before + 1, NO_DRAFTS + talkers)
        assert ladder.step >= min(before - 1, NO_DRAFTS + talkers - 1), "but for people who fell silent"
        assert (ladder.step_ms, ladder.drafts) in {(1000, True), (1500, True), (2000, True), (2000, False)}


def test_a_word_that_two_hearings_place_otherwise_never_goes_back_in_time() -> None:
    late = tuple(replace(word, start_ms=word.start_ms + 500, end_ms=word.end_ms + 500) for word in words("one two"))
    agreement = Agreement().finished(late).finished(words("three"))
    assert agreement.confirmed[-1].start_ms >= late[-1].end_ms
