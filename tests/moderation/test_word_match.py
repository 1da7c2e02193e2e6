"""A listed word in a line of captions: whole words, folded, over two lines of one speaker at most."""

from __future__ import annotations

import pytest

from moderation.rules.word_match import NEXT_LINE_MS, Match, Phrase, Spoken, find_phrases, folded_words


def said(text: str, at: int = 0) -> list[Spoken]:
    """Words that take 100 ms each."""
    return [Spoken(word, at + 100 * n, at + 100 * n + 100) for n, word in enumerate(text.split())]


def found(phrase: str, text: str, before: str = "", pause: int = 0) -> bool:
    line = said(text, 100_000)
    earlier = said(before, 100_000 - pause - 100 * len(before.split()))
    return bool(find_phrases(line, earlier, [Phrase(1, folded_words(phrase))]))


@pytest.mark.parametrize(
    ("phrase", "text", "is_found"),
    [
        ("ass", "my ass", True),
        ("ass", "a class act", False),
        ("ass", "Assess the mass", False),
        ("ass", "“Ass!”", True),
        ("ASS", "what an ass, he", True),
        ("ass", "ass's", True),
        ("cafe", "in het Café.", True),
        ("café", "in the cafe", True),
        ("straße", "die STRASSE", True),
        ("idioot", "Wat een ïdïóót", True),
        ("klootzak", "die klootzakken", False),
        ("klootzak", "Klootzak, zei hij", True),
        ("hoer", "ze schreeuwde hoera", False),
        ("zo'n", "zo’n dag", True),
        ("ijs", "ĳs eten", True),
        ("het laatste woord", "Het laatste, woord!", True),
        ("het laatste woord", "het laatste het woord", False),
        ("het laatste woord", "het laatste", False),
        ("well known", "a well-known man", True),
        ("well-known", "well known", True),
        ("hell", "he'll come", False),
        ("1488", "in 1488.", True),
        ("ass", "a\u200bss", True),
        ("иди", "Иди сюда", True),
        ("go home", "go go home", True),
    ],
)
def test_whole_words_are_found_whatever_their_case_accents_and_signs(phrase: str, text: str, is_found: bool) -> None:
    assert found(phrase, text) is is_found


def test_a_phrase_goes_on_in_the_next_line_of_the_speaker_and_is_of_the_line_in_which_it_ends() -> None:
    assert found("go back home", "home now", before="you go back")
    assert found("go back home", "home now", before="you go back", pause=NEXT_LINE_MS)
    assert not found("go back home", "home now", before="you go back", pause=NEXT_LINE_MS + 1)
    assert not found("go back", "home now", before="you go back"), "that is the line before's"
    assert not found("home now then", "home now")


def test_the_time_is_that_of_the_phrase_where_it_is_said_first() -> None:
    line = said("oh you fool you fool", 5000)
    phrases = [Phrase(7, ("you", "fool")), Phrase(8, ("fool",)), Phrase(9, ("oh", "no")), Phrase(10, ())]
    assert find_phrases(line, [], phrases) == [Match(7, 5100, 5300), Match(8, 5200, 5300)]
    assert find_phrases([], [], phrases) == []
    over = find_phrases(said("fool", 1000), said("you", 900), phrases[:1])
    assert over == [Match(7, 900, 1100)]
