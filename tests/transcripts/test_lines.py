"""Breaks as somebody would make them, in both languages, and that no word is ever lost, changed or moved."""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from transcripts.lines.cues import (
    LINE_LETTERS,
    LONGEST_MS,
    PAUSE_MS,
    break_into_cues,
    break_into_lines,
    join_pieces,
    readable_until,
)

# Written and broken by hand: " / " between lines, " || " between cues.
ENGLISH = """
When the rain had stopped / and the street was dry again, || she walked to the station / with her brother.
I have never been able to understand / why people are afraid of the dark.
And so, my fellow Americans, || ask not what your country can do for you, / ask what you can do for your country.
But thou, contracted / to thine own bright eyes, || feed'st thy light's flame / with self-substantial fuel.
Yes. I think that we should go / there together tomorrow.
Yes. No. Maybe.
It was late in the evening. They left.
We talked about the budget / for the next year, the new building, || and the two people / who will join us in March.
If you want to ask a question, || raise your hand and wait / until the host gives you a seat.
Last night I spoke with Anna Smit / and Peter van der Berg about the recording || that was deleted on the third of May.
He had been waiting for almost three hours || before anybody told him / that the train was not going to come.
You can listen / to the whole conversation again, || but only the people / who spoke can read what was said.
The meeting starts at 10.30 in the morning || and it will take / about two hours and a half.
I don't know / whether you've ever been to Amsterdam, || but it's a beautiful city / with a lot of water.
That's what I mean. / It isn't about the money, || it's about the way / in which they talk to us.
Nobody knows || who will be the next president / of the United States of America.
Thank you very much for coming tonight, || and welcome to everybody / who is listening at home!
We picked up the phone and called / the police, who came within ten minutes.
"""
DUTCH = """
Toen de regen was opgehouden / en de straat weer droog was, || liep ze met haar broer naar het station.
Ik heb nooit goed begrepen / waarom mensen bang zijn voor het donker.
De mensen die in het oude huis / aan het einde van onze straat wonen, || hebben een heel grote hond gekocht.
Ja. Ik denk / dat we daar morgen samen heen moeten gaan.
Als je een vraag wilt stellen, || steek dan je hand op en wacht / tot de gastheer je een plaats geeft.
Gisteravond sprak ik met Anna Smit / en Peter van der Berg over de opname || die op drie mei is verwijderd.
Hij had bijna drie uur staan wachten || voordat iemand hem vertelde / dat de trein niet meer zou komen.
Je kunt het hele gesprek / nog eens beluisteren, || maar alleen wie gesproken heeft kan lezen / wat er gezegd is.
De vergadering begint / om half elf 's ochtends || en duurt ongeveer tweeënhalf uur.
Ik weet niet of je wel eens / in Amsterdam bent geweest, || maar het is een prachtige stad / met veel water.
Dat bedoel ik. || Het gaat niet om het geld, het gaat / om de manier waarop ze met ons praten.
Welkom bij deze uitzending / van de stamtafel, || het programma waarin we praten / over wat er in de buurt gebeurt.
Niemand weet || wie de volgende minister-president / van Nederland zal worden.
Hartelijk dank / dat jullie vanavond gekomen zijn, || en welkom aan iedereen die thuis luistert!
We moeten ons realiseren / dat de arbeidsongeschiktheidsverzekering || voor zelfstandigen / veel te duur geworden is.
Volgens de burgemeester is er geen geld / meer voor een nieuwe bibliotheek, || en dat vind ik echt heel erg jammer.
Hij belde op en vroeg / of hij langs mocht komen.
Ze woont al twintig jaar in een klein dorp / in de buurt van Groningen.
"""
JUDGED = [
    (language, line) for language, lines in (("en", ENGLISH), ("nl", DUTCH)) for line in lines.strip().splitlines()
]


@dataclass(frozen=True)
class Said:
    text: str
    start_ms: int
    end_ms: int


def said(text: str, letters_a_second: int = 15) -> list[Said]:
    """Words as somebody says them, with short pauses at commas and longer ones between sentences."""
    words, at = [], 0
    for word in text.split():
        end = at + 1000 * (len(word) + 1) // letters_a_second
        words.append(Said(f" {word}", at, end))
        at = end + (450 if word[-1] in ".?!" else 150 if word[-1] in ",;" else 0)
    return words


def shown(words: list[Said], language: str) -> str:
    return " || ".join(" / ".join(break_into_lines(cue.text, language)) for cue in break_into_cues(words, language))


@pytest.mark.parametrize(("language", "wanted"), JUDGED, ids=lambda value: value[:24])
def test_breaks_are_where_somebody_would_make_them(language: str, wanted: str) -> None:
    assert shown(said(re.sub(r" (?:/|\|\|) ", " ", wanted)), language) == wanted


@pytest.mark.parametrize(
    ("language", "together"),
    [
        ("en", "the house"), ("en", "of our street"), ("en", "have been waiting"), ("en", "Anna Smit"),
        ("en", "very large"), ("en", "Mr. Dashwood"), ("en", "10 minutes"), ("nl", "het huis"),
        ("nl", "van onze straat"),
        ("nl", "'s ochtends"), ("nl", "Peter van der Berg"), ("nl", "gesproken heeft"), ("nl", "een heel grote hond"),
        ("nl", "dhr. Smit"),
    ],
)  # fmt: skip
def test_what_belongs_together_stays_wherever_the_line_is_full(language: str, together: str) -> None:
    """A phrase between plain words, pushed over the end of a line letter by letter."""
    for place in range(18, 36):
        text = f"{'x' * (place - 8)} yyyyyyy {together} zzzzzzz {'q' * 8}"
        assert any(together in line for line in break_into_lines(text, language)), text


def test_stray_pieces_join_the_word_before_them() -> None:
    pieces = [" one", "self", " -substantial", " and", " so", " .", " Yes", " -", " no", "", " 3", ".5"]
    words = [Said(piece, at * 100, at * 100 + 90) for at, piece in enumerate(pieces)]
    assert [unit.text for unit in join_pieces(words)] == ["oneself-substantial", "and", "so.", "Yes -", "no", "3.5"]
    assert [word for unit in join_pieces(words) for word in unit.words] == words


def test_a_silence_ends_a_cue_and_a_pause_to_think_does_not() -> None:
    thinking = [*said("We went to the"), Said(" harbour.", 1_800, 2_300)]
    assert shown(thinking, "en") == "We went to the harbour."
    gone = [*said("We went to the"), Said(" harbour.", 1_067 + PAUSE_MS, 3_400)]
    assert shown(gone, "en") == "We went to the || harbour."


def test_a_language_without_words_of_its_own_breaks_at_marks() -> None:
    text = "Wir haben den ganzen Abend gewartet, denn niemand kam."
    assert shown(said(text), "de") == "Wir haben den ganzen Abend gewartet, / denn niemand kam."


def test_a_name_in_front_takes_its_place_in_the_first_line() -> None:
    text = "We talked about it, and then we went home."
    assert break_into_lines(text, "en") == [text]
    assert break_into_lines(text, "en", taken=8) == ["We talked about it,", "and then we went home."]


def test_a_long_correction_gets_more_lines_and_a_long_word_one() -> None:
    lines = break_into_lines("word " * 40, "en")
    assert len(lines) == 5 and max(map(len, lines)) <= LINE_LETTERS
    assert break_into_lines("x" * 60 + " y", "nl") == ["x" * 60, "y"]
    assert break_into_lines(" \n", "en") == []
    assert break_into_lines(f"{'a' * 40}\n100\xa0%", "nl") == ["a" * 40, "100\xa0%"], "a no-break space holds"


def test_a_cue_stays_to_be_read_where_nothing_follows() -> None:
    assert readable_until(0, 300, 4, None) == 1_000
    assert readable_until(0, 300, 4, 700) == 700
    assert readable_until(0, 300, 4, 100) == 300, "never shorter than it is said"
    assert readable_until(0, 2_000, 68, None) == 4_000
    assert readable_until(0, 9_000, 84, None) == 9_000


PIECES = ("the", "house", "and", "Anna", "Smit", ",", ".", "-substantial", "–", "heeft", "van", "€5", "ok.", "x" * 30)
pieces = st.tuples(st.sampled_from(("", " ", "  ")), st.sampled_from(PIECES) | st.text(min_size=1, max_size=9))
gaps = st.sampled_from((0, 0, 0, 200, 800, 1_600, 60_000))
spoken = st.lists(st.tuples(pieces.map("".join), gaps, st.integers(20, 2_000)), max_size=60)


@settings(max_examples=200)
@given(spoken, st.sampled_from(("en", "nl", "de")))
def test_words_stay_exactly_what_they_were(drawn: list[tuple[str, int, int]], language: str) -> None:
    words, at = [], 0
    for text, gap, length in drawn:
        words.append(Said(text, at + gap, at + gap + length))
        at += gap + length
    cues = break_into_cues(words, language)
    assert [word for cue in cues for word in cue.words] == words, "each word once, in order"
    assert all(cue.end_ms <= following.start_ms for cue, following in pairwise(cues))
    for cue in cues:
        assert (cue.start_ms, cue.end_ms) == (cue.words[0].start_ms, cue.words[-1].end_ms)
        assert "".join(cue.text.split()) == "".join("".join(word.text for word in cue.words).split())
        lines = break_into_lines(cue.text, language)
        assert "".join("".join(lines).split()) == "".join(cue.text.split())
        if len(join_pieces(cue.words)) > 1:
            assert cue.end_ms - cue.start_ms <= LONGEST_MS and len(cue.text) <= 2 * LINE_LETTERS + 1
        if max(map(len, cue.text.split()), default=0) < 20:
            assert len(lines) <= 2 and all(len(line) <= LINE_LETTERS for line in lines)


@settings(max_examples=100)
@given(st.text(max_size=200), st.sampled_from(("en", "nl", "de")))
def test_lines_are_the_text_with_other_breaks(text: str, language: str) -> None:
    lines = break_into_lines(text, language)
    assert "".join("".join(lines).split()) == "".join(text.split())
    assert all(line.strip(" \t\n") == line and line for line in lines)
